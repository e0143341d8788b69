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

        A merged shard's lease is not created while its other parent is listed and has none yet: that parent
        comes of a lineage that lags behind, and a parent without a lease passes for one that is done.
        Whichever parent ends last creates it.

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
        listed = {shard.shard_id for shard in shards}
        if not children and owned.key in listed:
            raise ChildrenUnknownError(owned.key)
        ready = [
            child
            for child in children
            if all(self._table.get(parent) for parent in (child.parents & listed) - {owned.key})
        ]
        owned.register_children(
            leases_of_children(ready, self._initial_position), frozenset(child.shard_id for child in children)
        )

    def parents_have_ended(self, parents: frozenset[str]) -> bool:
        """Whether a shard's parents are done. One without a lease is: it is past retention, or cleaned up."""
        leases = (self._table.get(parent) for parent in parents)
        return all(lease is None or lease.has_ended for lease in leases)
