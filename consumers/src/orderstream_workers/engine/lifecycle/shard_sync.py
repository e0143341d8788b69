"""Which leases to create: a function of the listed shards and the existing leases, without any I/O.

As KCL does, an application begins with the oldest generation of shards; the leases of their children are
created when they end. So one rule serves a fresh application, a hole left by a crash, and everyday life:

- A shard with a lease needs none. Nor does one with a descendant that has a lease: it was done, and its lease
  was cleaned up. Creating it again would replay it.
- From TRIM_HORIZON or AT_TIMESTAMP: a shard none of whose parents is listed, or all of whose listed parents
  have ended, gets a lease.
- From LATEST: an open shard without an ancestor that has a lease gets one.
"""

from collections.abc import Collection, Iterable, Mapping

from orderstream_workers.engine.config import InitialPosition
from orderstream_workers.engine.leases.lease import Checkpoint, Lease
from orderstream_workers.engine.shard import Shard


def leases_to_create(
    shards: Collection[Shard], leases: Iterable[Lease], initial_position: InitialPosition
) -> list[Lease]:
    """Choose the leases to create.

    Args:
        shards: All shards of the stream, as ListShards gives them without a filter.
        leases: All leases.
        initial_position: Where an application without leases begins.

    Returns:
        New leases that nobody holds.
    """
    existing = {lease.lease_key: lease for lease in leases}
    listed = {shard.shard_id: shard for shard in shards}
    done_below = _ancestors_of(existing, listed, existing)
    created: list[Lease] = []
    for shard in listed.values():
        if shard.shard_id in existing or shard.shard_id in done_below:
            continue
        if initial_position == "LATEST":
            has_history = not existing.keys().isdisjoint(_ancestors_of([shard.shard_id], listed, existing))
            wanted = _parents_have_ended(shard, listed, existing) if has_history else shard.is_open
            checkpoint: Checkpoint = "TRIM_HORIZON" if has_history else "LATEST"
        else:
            wanted = _parents_have_ended(shard, listed, existing)
            checkpoint = initial_position
        if wanted:
            created.append(Lease.of_shard(shard, checkpoint))
    return created


def leases_of_children(children: Iterable[Shard], initial_position: InitialPosition) -> list[Lease]:
    """Make the leases of the shards that go on from one that has ended.

    They begin at their first record, except that a timestamp to begin at may still lie ahead of it.
    """
    checkpoint: Checkpoint = "AT_TIMESTAMP" if initial_position == "AT_TIMESTAMP" else "TRIM_HORIZON"
    return [Lease.of_shard(child, checkpoint) for child in children]


def children_of(shard_id: str, shards: Iterable[Shard]) -> list[Shard]:
    """Find the children of a shard in a listing."""
    return [shard for shard in shards if shard_id in shard.parents]


def _parents_have_ended(shard: Shard, listed: Mapping[str, Shard], existing: Mapping[str, Lease]) -> bool:
    return all(
        parent not in listed or (parent in existing and existing[parent].has_ended)
        for parent in shard.parents
    )


def _ancestors_of(
    shard_ids: Iterable[str], listed: Mapping[str, Shard], existing: Mapping[str, Lease]
) -> set[str]:
    """All ancestors, by the listing and, for shards that are no longer listed, by the leases."""
    ancestors: set[str] = set()
    pending = list(shard_ids)
    while pending:
        shard_id = pending.pop()
        parents: frozenset[str] = frozenset()
        if shard_id in listed:
            parents = listed[shard_id].parents
        elif shard_id in existing:
            parents = existing[shard_id].parent_shard_ids
        pending += parents - ancestors
        ancestors |= parents
    return ancestors
