"""What a Kinesis stream is, whoever uses it: its shards, and which of them a hash key leads to."""
