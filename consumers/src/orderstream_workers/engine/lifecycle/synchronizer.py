"""Brings the leases in line with the listed shards."""

import logging

from orderstream_workers.engine.config import InitialPosition
from orderstream_workers.engine.errors import ChildrenUnknownError
from orderstream_workers.engine.leases import LeaseTable, OwnedLease
from orderstream_workers.engine.lifecycle.shard_sync import children_of, leases_of_children, leases_to_create
from orderstream_workers.engine.retrieval import KinesisReader
from orderstream_workers.engine.shard import Shard

logger = logging.getLogger(__name__)


class ShardSynchronizer:
    """Creates leases. Any worker may do so at any time: creation is conditional on absence.

    Args:
        reader: Lists the shards.
        table: Where the leases are.
        initial_position: Where an application without leases begins.
    """

    def __init__(self, reader: KinesisReader, table: LeaseTable, initial_position: InitialPosition) -> None:
        self._reader = reader
        self._table = table
        self._initial_position = initial_position

    def synchronize(self) -> list[Shard]:
        """Create the leases that are missing; return the listed shards.

        Raises:
            DependencyError: Kinesis or the lease table could not be reached.
        """
        # The leases first: a shard that ends in between then still looks unended, and its children wait.
        leases = self._table.list_leases()
        shards = self._reader.list_shards()
        for lease in leases_to_create(shards, leases, self._initial_position):
            if self._table.create_if_absent(lease):
                logger.info("lease created", extra={"shard_id": lease.lease_key})
        return shards

    def register_children(self, owned: OwnedLease, named: tuple[Shard, ...]) -> None:
        """Create the leases of a closed shard's children and name them in its own.

        Leases that are missing elsewhere are created first: a merged shard would otherwise begin without its
        other parent, whose lease could not be created any more once the child's exists.

        Args:
            owned: The lease of the closed shard.
            named: The children as Kinesis named them at the end of the shard; none if it named none.

        Raises:
            ChildrenUnknownError: The shard is listed without children.
            LeaseLostError: Another worker owns the shard now.
            DependencyError: Kinesis or the lease table could not be reached.
        """
        shards = self.synchronize()
        children = list(named) or children_of(owned.key, shards)
        if not children and any(shard.shard_id == owned.key for shard in shards):
            raise ChildrenUnknownError(owned.key)
        owned.register_children(leases_of_children(children, self._initial_position))

    def parents_have_ended(self, parents: frozenset[str]) -> bool:
        """Whether a shard's parents are done. One without a lease is: it is past retention, or cleaned up."""
        leases = (self._table.get(parent) for parent in parents)
        return all(lease is None or lease.has_ended for lease in leases)
