"""Leases: which worker works on which shard, and how far each shard is done."""

from orderstream_consumer.engines.embedded.leases.coordinator import LeaseCoordinator
from orderstream_consumer.engines.embedded.leases.dynamodb import DynamoDBLeaseTable
from orderstream_consumer.engines.embedded.leases.lease import Lease
from orderstream_consumer.engines.embedded.leases.owned import OwnedLease
from orderstream_consumer.engines.embedded.leases.table import LeaseTable, commit
from orderstream_consumer.engines.embedded.leases.taker import Sighting, observe, plan

__all__ = [
    "DynamoDBLeaseTable",
    "Lease",
    "LeaseCoordinator",
    "LeaseTable",
    "OwnedLease",
    "Sighting",
    "commit",
    "observe",
    "plan",
]
