"""Consume Kinesis streams as Amazon's KCL does: leases, checkpoints, lanes, parking. It knows no orders."""
