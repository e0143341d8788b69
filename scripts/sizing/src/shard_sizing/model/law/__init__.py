"""What chance does to a shard and a stream: exact laws of a second, no samples."""
