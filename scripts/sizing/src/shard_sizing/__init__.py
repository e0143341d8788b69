"""Capacity planning for Kinesis Data Streams that knows keys, bursts and aggregation."""
