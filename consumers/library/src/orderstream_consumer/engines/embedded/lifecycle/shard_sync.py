"""Which leases to create: a function of the listed shards and the existing leases, without any I/O.

As KCL does, an application begins with the oldest generation of shards; the leases of their children are
created when they end. One rule serves a fresh application, a hole left by a crash, a lease that was deleted,
and everyday life. In its terms

- a shard is *done* if it has no lease but a descendant has begun: it was done, and its lease was cleaned up.
  A descendant at its beginning proves nothing, for it may wait for this very shard. Above a lease
  that is still at LATEST it is *skipped* instead: nothing before that lease was wanted. But below another
  lease it is wanted: a worker that was suspended before it created the one at LATEST did not know that one;
- a shard is *fresh* if neither it nor an ancestor has a lease or is done: nothing is known of it. One that
  was merged into a shard whose lease is at its first record is not: that lease followed from its parents'
  leases, so there was one, and with LATEST too its records are wanted;
- a shard is *lost* if it is neither listed nor has a lease, and a listed one names it as its parent:
  retention has taken it. Of two shards that share a hash key the younger came from the older, so it came from
  the leases of older shards past retention that share one with its children: those are not fresh. (Unless
  the listing lags: then it may lack a shard that is younger than all it shows, with that one's parents.)

Each listed shard that has no lease, is neither done nor skipped, and has no open listed parent (such a
listing was caught in the middle of a reshard) gets one:

============ ===================== ==================================================== =====================
the shard is initial position      if                                                   it begins at
============ ===================== ==================================================== =====================
fresh        TRIM_HORIZON or       none of its parents is listed                        the initial position
             AT_TIMESTAMP
fresh        LATEST                it is open, or one of its children is not fresh: a   LATEST
                                   merged shard waits for it
not fresh    any                   each parent is unlisted, done, or has ended          TRIM_HORIZON, or
                                                                                        AT_TIMESTAMP if that
                                                                                        is the initial one
============ ===================== ==================================================== =====================
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from orderstream.aggregation import MAX_HASH_KEY
from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.config import InitialPosition
from orderstream_consumer.engines.embedded.leases.lease import Lease

if TYPE_CHECKING:
    from orderstream_consumer.processing.record import Checkpoint

_WHOLE: Final = HashRange(0, MAX_HASH_KEY)


def leases_to_create(
    shards: Collection[Shard],
    leases: Iterable[Lease],
    initial_position: InitialPosition,
    now: dt.datetime | None = None,
) -> list[Lease]:
    """Choose the leases to create.

    Args:
        shards: All shards of the stream, as ListShards gives them without a filter.
        leases: All leases.
        initial_position: Where an application without leases begins.
        now: A moment by Kinesis' clock at or before those of the look at the leases and of the listing: where
            LATEST begins.

    Returns:
        New leases without an owner, in the order in which to create them: the oldest shards first, so that a
        crash leaves out the younger ones.
    """
    lineage = _Lineage(shards, leases)
    first = lineage.first_leases(initial_position, now)
    later = lineage.later_leases(initial_position, lineage.ended)
    order = {shard.shard_id: (shard.starting_sequence_number or 0, shard.shard_id) for shard in shards}
    return sorted(first + later, key=lambda lease: order[lease.lease_key])


def leases_at_end(
    ending: Lease,
    named: Collection[Shard],
    shards: Collection[Shard],
    leases: Iterable[Lease],
    initial_position: InitialPosition,
) -> list[Lease]:
    """Choose the leases to create when a shard ends: those of its children.

    A merged shard's other parent needs a lease, not an end: the child waits for it itself. Without a lease
    that parent comes of a lineage that lags behind, and whichever parent ends last creates the child's lease.

    Args:
        ending: The lease of the shard, every record of which is done.
        named: The children as Kinesis named them at the shard's end; none if it named none.
        shards: All shards of the stream, as listed.
        leases: All leases.
        initial_position: Where an application without leases begins.
    """
    known = {shard.shard_id: shard for shard in (*named, *shards)}
    children = {child.shard_id: child for child in children_of(ending.lease_key, known.values())}
    # A shard that has a child is closed, whatever a listing that lags behind says of it.
    closed = {ending.lease_key}.union(*(child.parents for child in children.values()))
    known |= {key: replace(known[key], is_open=False) for key in closed & known.keys()}
    ended = ending.checkpointed("SHARD_END")
    lineage = _Lineage(known.values(), [*(x for x in leases if x.lease_key != ended.lease_key), ended])
    later = lineage.later_leases(initial_position, lineage.leases.keys())
    return [
        lease
        for lease in later
        if lease.lease_key in children
        and not (lineage.lost_parents(lease) and _is_ahead(lease.lease_key, shards))
    ]


def to_be_waited_for(child: Lease, shards: Collection[Shard], leases: Iterable[Lease]) -> frozenset[str]:
    """The shards that come before one that has not begun, and are not done.

    They are its parents that have a lease that has not ended, or will get one that was deleted, and, where it
    names one that is lost, the leases that this came from. Even what is lost is waited for as long as the
    listing lags behind the child.

    Args:
        child: The lease of the shard.
        shards: All shards of the stream, as listed; none if the child has begun.
        leases: All leases.
    """
    lineage = _Lineage(shards, leases)
    unended = lineage.leases.keys() - lineage.ended
    missing = lineage.listed.keys() - lineage.leases.keys() - lineage.done - lineage.skipped
    waited_for = child.parent_shard_ids & (unended | missing)
    lost = lineage.lost_parents(child)
    for parent in lost:
        waited_for |= unended.intersection(lineage.origins.get(parent, ()))
    return waited_for | lost if _is_ahead(child.lease_key, shards) else waited_for


def children_of(shard_id: str, shards: Iterable[Shard]) -> list[Shard]:
    """Find the children of a shard in a listing."""
    return [shard for shard in shards if shard_id in shard.parents]


def uncovered(ranges: Iterable[HashRange]) -> HashRange | None:
    """Find the first hole that ranges leave in the whole of all hash keys; they may overlap."""
    lowest, highest = _WHOLE
    for start, end in sorted(ranges):
        if start > lowest:
            return HashRange(lowest, start - 1)
        lowest = max(lowest, end + 1)
    return None if lowest > highest else HashRange(lowest, highest)


def hole_in(leases: Iterable[Lease], shards: Iterable[Shard]) -> HashRange | None:
    """Find a range of hash keys that no worker consumes, nor will: no lease that has not ended covers it.

    Leases without a range (older versions of KCL wrote such) have that of their listed shard.
    """
    listed = {shard.shard_id: shard for shard in shards}
    ranges: list[HashRange] = []
    for lease in leases:
        if lease.has_ended:
            continue
        if lease.hash_range is not None:
            ranges.append(lease.hash_range)
        elif (shard := listed.get(lease.lease_key)) is not None:
            ranges.append(shard.hash_range)
    return uncovered(ranges)


def _age(shard_id: str) -> tuple[int, str]:
    """Orders shards by age: Kinesis counts their ids up as it opens them."""
    return len(shard_id), shard_id


def _is_ahead(shard_id: str, listed: Collection[Shard]) -> bool:
    """Whether a listing lags behind a shard: retention never takes the youngest."""
    return bool(listed) and _age(shard_id) > max(_age(shard.shard_id) for shard in listed)


class _Lineage:
    """The listed shards and the leases together.

    Attributes:
        origins: The leases that lost shards came from, of shards past retention, by lost shard.
    """

    def __init__(self, shards: Iterable[Shard], leases: Iterable[Lease]) -> None:
        self.listed: Mapping[str, Shard] = {shard.shard_id: shard for shard in shards}
        self.leases: Mapping[str, Lease] = {lease.lease_key: lease for lease in leases}
        self.ended = {key for key, lease in self.leases.items() if lease.has_ended}
        at_latest = [key for key, lease in self.leases.items() if lease.checkpoint == "LATEST"]
        begun = [key for key, lease in self.leases.items() if lease.has_begun]
        self.done = self._ancestors(begun) - self.leases.keys()
        self.children: dict[str, list[str]] = {}
        for shard in self.listed.values():
            for parent in shard.parents:
                self.children.setdefault(parent, []).append(shard.shard_id)
        self.origins = self._origins_of_lost()
        for lost, origins in self.origins.items():
            for origin in origins:
                self.children.setdefault(origin, []).append(lost)
        wanted = self._with_descendants(self.leases)
        self.skipped = self._ancestors(at_latest) - self.done - wanted
        known = self._with_descendants(self.leases.keys() | self.done)
        self.fresh = self.listed.keys() - known - self._parents_of_waiting_merges()

    def first_leases(self, position: InitialPosition, now: dt.datetime | None) -> list[Lease]:
        """Leases of fresh shards."""
        fresh = [shard for shard in self._candidates() if shard.shard_id in self.fresh]
        if position != "LATEST":
            return [Lease.of_shard(x, position) for x in fresh if self.listed.keys().isdisjoint(x.parents)]
        return [
            Lease.of_shard(shard, position, now)
            for shard in fresh
            if shard.is_open or not self.fresh.issuperset(self.children.get(shard.shard_id, ()))
        ]

    def later_leases(self, position: InitialPosition, sufficient: AbstractSet[str]) -> list[Lease]:
        """Leases of shards that go on from others; each listed parent must be done, or be sufficient."""
        # A timestamp to begin at may still be ahead of a child's first record.
        checkpoint: Checkpoint = "AT_TIMESTAMP" if position == "AT_TIMESTAMP" else "TRIM_HORIZON"
        passed = self.done | self.skipped | sufficient
        return [
            Lease.of_shard(shard, checkpoint)
            for shard in self._candidates()
            if shard.shard_id not in self.fresh
            and all(parent not in self.listed or parent in passed for parent in shard.parents)
        ]

    def lost_parents(self, child: Lease) -> frozenset[str]:
        """Parents of which nothing is known: neither listed, nor done, and without a lease."""
        return child.parent_shard_ids - self.listed.keys() - self.leases.keys() - self.done

    def _origins_of_lost(self) -> dict[str, list[str]]:
        past_retention = [
            (lease.lease_key, lease.hash_range)
            for lease in self.leases.values()
            if lease.lease_key not in self.listed
        ]
        return {
            lost: [
                origin
                for origin, hash_range in past_retention
                if hash_range is not None
                and _age(origin) < _age(lost)
                and any(hash_range.overlaps(self.listed[child].hash_range) for child in children)
            ]
            for lost, children in self.children.items()
            if lost not in self.listed and lost not in self.leases
        }

    def _candidates(self) -> Iterable[Shard]:
        for key, shard in self.listed.items():
            parents = (self.listed[parent] for parent in shard.parents if parent in self.listed)
            known = key in self.leases or key in self.done or key in self.skipped
            if not known and not any(parent.is_open for parent in parents):
                yield shard

    def _parents_of_waiting_merges(self) -> set[str]:
        """A split's parent is not among them: its children get their leases once all its records are done."""
        return {
            parent
            for lease in self.leases.values()
            if not lease.has_begun and lease.checkpoint != "LATEST" and len(lease.parent_shard_ids) > 1
            for parent in lease.parent_shard_ids
        }

    def _with_descendants(self, shard_ids: Iterable[str]) -> set[str]:
        found = set(shard_ids)
        pending = list(found)
        while pending:
            new = set(self.children.get(pending.pop(), ())) - found
            pending += new
            found |= new
        return found

    def _ancestors(self, shard_ids: Iterable[str]) -> set[str]:
        """All ancestors, by the listing and, for shards that are no longer listed, by the leases."""
        ancestors: set[str] = set()
        pending = list(shard_ids)
        while pending:
            shard_id = pending.pop()
            parents: frozenset[str] = frozenset()
            if shard_id in self.listed:
                parents = self.listed[shard_id].parents
            elif shard_id in self.leases:
                parents = self.leases[shard_id].parent_shard_ids
            pending += parents - ancestors
            ancestors |= parents
        return ancestors
