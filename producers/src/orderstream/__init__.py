"""Orderstream: put events into Kinesis Data Streams as Amazon's KPL does, in pure Python."""
