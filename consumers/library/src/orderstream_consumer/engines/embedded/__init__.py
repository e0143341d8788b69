"""The embedded engine: leases, checkpoints and the life of shards as KCL has them, in pure Python."""
