"""How many shards and workers a workload needs, and how given ones fare."""
