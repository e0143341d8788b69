"""Leases: which worker works on which shard, and how far each shard is done."""

from orderstream_workers.engine.leases.dynamodb import DynamoDBLeaseTable
from orderstream_workers.engine.leases.keeper import LeaseKeeper
from orderstream_workers.engine.leases.lease import Checkpoint, Lease
from orderstream_workers.engine.leases.memory import MemoryLeaseTable
from orderstream_workers.engine.leases.owned import OwnedLease
from orderstream_workers.engine.leases.planner import Sighting, observe, plan
from orderstream_workers.engine.leases.table import LeaseTable, commit

__all__ = [
    "Checkpoint",
    "DynamoDBLeaseTable",
    "Lease",
    "LeaseKeeper",
    "LeaseTable",
    "MemoryLeaseTable",
    "OwnedLease",
    "Sighting",
    "commit",
    "observe",
    "plan",
]
