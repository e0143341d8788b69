"""Which leases to delete: a function of the listed shards and the existing leases, without any I/O.

Without it the table, each look at it and each worker's plan would grow with every reshard. As with KCL, the
lease of a shard that has ended goes once

- each of its children has a lease, and has begun: then the children's leases prove that it is done; and
- the leases of its own parents are gone: so lineages are forgotten from their beginning.

A lease that has not ended stays, even if its shard is no longer listed: its owner ends it, or else its
children would look like shards of which nothing is known.
"""

from collections.abc import Iterable

from orderstream.kinesis.shard import Shard
from orderstream_consumer.engines.embedded.leases.lease import Lease


def leases_to_delete(shards: Iterable[Shard], leases: Iterable[Lease]) -> list[Lease]:
    """Choose the leases to delete.

    Args:
        shards: All shards of the stream, as ListShards gives them without a filter.
        leases: All leases, read before the shards were listed.
    """
    by_key = {lease.lease_key: lease for lease in leases}
    listed: set[str] = set()
    listed_children: dict[str, set[str]] = {}
    for shard in shards:
        listed.add(shard.shard_id)
        for parent in shard.parents:
            listed_children.setdefault(parent, set()).add(shard.shard_id)

    def goes(lease: Lease) -> bool:
        if not lease.has_ended or not by_key.keys().isdisjoint(lease.parent_shard_ids):
            return False
        children = lease.child_shard_ids | listed_children.get(lease.lease_key, set())
        if lease.lease_key not in listed:
            # Children past retention have no lease any more, and need none.
            children = children & (listed | by_key.keys())
        elif not children:
            return False  # the listing lags behind
        return all(child in by_key and by_key[child].has_begun for child in children)

    return [lease for lease in by_key.values() if goes(lease)]
