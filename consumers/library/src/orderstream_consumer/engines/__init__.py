"""What reads the shards: the embedded engine, and Amazon's KCL."""
