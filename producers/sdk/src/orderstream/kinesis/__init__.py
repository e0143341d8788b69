"""A Kinesis stream for producers and consumers alike: its shards, and the shard of a hash key."""
