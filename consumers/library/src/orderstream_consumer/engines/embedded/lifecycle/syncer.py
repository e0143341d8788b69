"""Brings the leases in line with the listed shards."""

import logging
from typing import Final

from orderstream.errors import DependencyError
from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.config import InitialPosition
from orderstream_consumer.engines.embedded.leases import Lease, LeaseTable, OwnedLease
from orderstream_consumer.engines.embedded.lifecycle.lease_cleanup import leases_to_delete
from orderstream_consumer.engines.embedded.lifecycle.shard_sync import (
    children_of,
    hole_in,
    leases_at_end,
    leases_to_create,
    to_be_waited_for,
    uncovered,
)
from orderstream_consumer.engines.embedded.retrieval import KinesisReader, Listing
from orderstream_consumer.processing.errors import ChildrenUnknownError

logger = logging.getLogger(__name__)

_LOOKS: Final = 3
"""A hole that is seen so often in a row is one: a reshard leaves one for a moment (as KCL's audit counts)."""


class ShardSyncer:
    """Creates leases, and deletes those that are done with.

    Any worker may do so at any time: creation is conditional on absence, deletion on the absence of other
    writes.

    Args:
        reader: Lists the shards.
        table: Where the leases are.
        initial_position: Where an application without leases begins.

    Attributes:
        hole: Hash keys that no worker consumes, seen three times in a row; None if there are none.
    """

    def __init__(self, reader: KinesisReader, table: LeaseTable, initial_position: InitialPosition) -> None:
        self.hole: HashRange | None = None
        self._reader = reader
        self._table = table
        self._initial_position = initial_position
        self._suspected: HashRange | None = None
        self._looks = 0

    def synchronize(self) -> tuple[Shard, ...]:
        """Create the leases that are missing, delete those that are not needed; return the listed shards.

        Raises:
            DependencyError: Kinesis or the lease table could not be reached, or what it lists is not whole.
        """
        leases, listing = self._look()
        self._note_ranges(leases, listing)
        created = self._create(leases, listing)
        for lease in leases_to_delete(listing.shards, leases):
            if self._table.delete(lease):
                logger.info("lease deleted", extra={"shard_id": lease.lease_key})
        self._audit(hole_in([*leases, *created], listing.shards))
        return listing.shards

    def register_children(self, owned: OwnedLease, named: tuple[Shard, ...]) -> None:
        """Create the leases of a closed shard's children and name them in its own.

        Args:
            owned: The lease of the closed shard.
            named: The children as Kinesis named them at the end of the shard; none if it named none.

        Raises:
            ChildrenUnknownError: The shard is listed without children.
            LeaseLostError: Another worker owns the shard now.
            DependencyError: Kinesis or the lease table could not be reached.
        """
        leases, listing = self._look()
        leases += self._create(leases, listing)
        children = list(named) or children_of(owned.key, listing.shards)
        if not children and any(shard.shard_id == owned.key for shard in listing.shards):
            raise ChildrenUnknownError(owned.key)
        created = leases_at_end(owned.lease, named, listing.shards, leases, self._initial_position)
        owned.register_children(created, frozenset(child.shard_id for child in children))

    def parents_have_ended(self, child: Lease) -> bool:
        """Whether the parents of a shard are done.

        One without a lease is if it is past retention, or was cleaned up: so the lineage is asked. That there
        is none is believed only of a look at all leases: to a single row's look an empty response is a legal
        response, whatever server sends it.

        Args:
            child: The lease of the shard.

        Raises:
            DependencyError: Kinesis or the lease table could not be reached.
        """
        leases = [self._table.get(parent) for parent in sorted(child.parent_shard_ids)]
        if all(lease is not None for lease in leases):
            return all(lease is not None and lease.has_ended for lease in leases)
        found = self._table.list_leases()
        # Once the child has begun its parents are done, and no look at the stream is needed.
        shards = () if child.has_begun else self._reader.list_shards().shards
        return not to_be_waited_for(child, shards, found)

    def _look(self) -> tuple[list[Lease], Listing]:
        # The leases first: a shard that ends in between then still looks unended, and its children wait. And
        # LATEST is when there were no leases: this worker may have been suspended since then.
        began = self._reader.now()
        return self._table.list_leases(), self._reader.list_shards(began)

    def _note_ranges(self, leases: list[Lease], listing: Listing) -> None:
        """Give a lease that an older version of KCL made its hash keys, as long as its shard is listed.

        Once retention has taken the shard, they alone show what became of it.
        """
        without = {lease.lease_key: lease for lease in leases if lease.hash_range is None}
        for shard in listing.shards:
            if (lease := without.get(shard.shard_id)) is not None:
                self._table.replace(lease, lease.with_range_of(shard))  # if not, then at the next look

    def _create(self, leases: list[Lease], listing: Listing) -> list[Lease]:
        if not leases:
            _demand_whole(listing)
        created = leases_to_create(listing.shards, leases, self._initial_position, listing.at)
        for lease in created:
            if self._table.create_if_absent(lease):
                logger.info("lease created", extra={"shard_id": lease.lease_key})
        return created

    def _audit(self, found: HashRange | None) -> None:
        self._looks = self._looks + 1 if found is not None and found == self._suspected else 1
        self._suspected = found
        self.hole = found if self._looks >= _LOOKS else None
        if self.hole is not None:
            logger.error(
                "no worker consumes a range of hash keys",
                extra={"starting_hash_key": str(self.hole.start), "ending_hash_key": str(self.hole.end)},
            )


def _demand_whole(listing: Listing) -> None:
    """An application that begins with part of the stream would skip the rest."""
    hole = uncovered(shard.hash_range for shard in listing.shards if shard.is_open)
    if hole is not None:
        reason = f"no open shard takes the hash keys from {hole.start} on"
        raise DependencyError("kinesis", "ListShards", reason)
