"""The operations of Kinesis that the fake has: one module for each family."""
