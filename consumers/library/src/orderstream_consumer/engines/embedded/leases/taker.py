"""Which leases a worker takes next: a function of what it sees, without any I/O.

The rules:

1. A lease is free if it has no owner, or if its counter has not moved for the failover time. Time is our own
   monotonic clock's since *we* saw the counter move; no stored timestamp is ever compared with a local clock.
2. Workers are the owners of leases that are not free, and ourselves. Each aims at its fair share: the number
   of leases whose shard has not ended, divided by the number of workers, rounded up.
3. Free leases are taken up to the fair share.
4. Without free leases, one is stolen from the most loaded worker, if that still leaves it no fewer than us.

So shares differ by one at most in the end, and then nothing moves. A race is lost at the conditional
write.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import md5

from orderstream_consumer.engines.embedded.leases.lease import Lease


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a lease looked like when we last saw it change.

    Attributes:
        lease_owner: Its owner then.
        lease_counter: Its counter then.
        since: When we saw it first, on our monotonic clock, in seconds.
    """

    lease_owner: str | None
    lease_counter: int
    since: float


def observe(sightings: Mapping[str, Sighting], leases: Iterable[Lease], now: float) -> dict[str, Sighting]:
    """Bring what was seen up to date: a lease that did not change keeps the time at which it last did."""
    seen: dict[str, Sighting] = {}
    for lease in leases:
        before = sightings.get(lease.lease_key)
        unchanged = before is not None and (before.lease_owner, before.lease_counter) == (
            lease.lease_owner,
            lease.lease_counter,
        )
        seen[lease.lease_key] = (
            before if before and unchanged else Sighting(lease.lease_owner, lease.lease_counter, now)
        )
    return seen


def plan(
    leases: Iterable[Lease],
    sightings: Mapping[str, Sighting],
    *,
    worker_id: str,
    busy: AbstractSet[str],
    failover_time: float,
    now: float,
) -> list[Lease]:
    """Choose the leases to take.

    Args:
        leases: All leases, as just read.
        sightings: What ``observe`` made of them.
        worker_id: Who we are.
        busy: Shards that this process works on, or has not finished letting go of.
        failover_time: Seconds without a change after which a lease is free.
        now: The time on our monotonic clock, in seconds.

    Returns:
        The leases to take, each as it was read. What we own and do not work on is among them.
    """
    active = [lease for lease in leases if not lease.has_ended]
    expired = expired_leases(active, sightings, failover_time=failover_time, now=now)
    gone = {lease.lease_key for lease in expired}
    free: list[Lease] = []
    held: list[Lease] = []  # by other workers that are alive
    for lease in active:
        if lease.lease_key in busy:
            continue
        if lease.lease_owner == worker_id or lease.lease_key in gone:
            free.append(lease)
        else:
            held.append(lease)
    load = Counter(str(lease.lease_owner) for lease in held)
    own = len(busy & {lease.lease_key for lease in active})
    fair_share = -(-len(active) // (len(load) + 1))
    if free:
        return _spread(free, worker_id)[: max(0, fair_share - own)]
    if not load:
        return []
    victim, most = max(load.items(), key=lambda item: (item[1], item[0]))
    if most - own < 2:
        return []
    return _spread([lease for lease in held if lease.lease_owner == victim], worker_id)[:1]


def expired_leases(
    leases: Iterable[Lease], sightings: Mapping[str, Sighting], *, failover_time: float, now: float
) -> list[Lease]:
    """The leases that nobody renews, of shards that have not ended.

    Args:
        leases: All leases, as just read.
        sightings: What ``observe`` made of them.
        failover_time: Seconds without a change after which a lease is free.
        now: The time on our monotonic clock, in seconds.
    """
    return [
        lease
        for lease in leases
        if not lease.has_ended
        and (lease.lease_owner is None or now - sightings[lease.lease_key].since > failover_time)
    ]


def _spread(leases: list[Lease], worker_id: str) -> list[Lease]:
    """Order them differently for each worker, so that workers that start together rarely want the same."""

    def preference(lease: Lease) -> bytes:
        return md5(f"{worker_id}/{lease.lease_key}".encode(), usedforsecurity=False).digest()

    return sorted(leases, key=preference)
