"""A KCL-style consumer engine: leases, checkpoints, shard lifecycle, lanes. It knows no orders."""
