"""Which leases a worker takes, case by case."""

import pytest

from orderstream_consumer.engines.embedded.leases import Lease, Sighting, observe, plan


def leases(owners: str, ended: str = "") -> list[Lease]:
    """One lease per letter: its owner, or nobody for a dash."""
    return [
        Lease(
            lease_key=f"s{index}",
            lease_owner=None if owner == "-" else owner,
            checkpoint="SHARD_END" if str(index) in ended else "TRIM_HORIZON",
        )
        for index, owner in enumerate(owners)
    ]


def planned(found: list[Lease], me: str, expired: str = "", held: bool = True) -> list[Lease]:
    sightings = {
        lease.lease_key: Sighting(
            lease.lease_owner, lease.lease_counter, 0.0 if lease.lease_owner in set(expired) else 100.0
        )
        for lease in found
    }
    busy = frozenset(lease.lease_key for lease in found if held and lease.lease_owner == me)
    return plan(found, sightings, worker_id=me, busy=busy, failover_time=10, now=100.0)


@pytest.mark.parametrize(
    ("owners", "expired", "taken"),
    [
        ("----", "", 4),  # alone: everything
        ("bb--", "", 2),  # two workers: half each
        ("bbb-", "", 1),  # what is free first
        ("a---", "", 3),  # what we hold counts
        ("bbbb", "b", 4),  # all of a dead worker's
        ("bbcc", "b", 2),  # a dead worker does not count as one
        ("bbbbb", "", 1),  # nothing free: steal one
        ("abbb", "", 1),  # still two apart
        ("abb", "", 0),  # one apart is balanced
        ("b", "", 0),  # a single lease stays where it is
        ("bbccc", "", 1),
        ("", "", 0),
    ],
)
def test_how_many_leases_are_taken(owners: str, expired: str, taken: int) -> None:
    """Free leases up to the fair share, else one from the most loaded if it has two more than we."""
    assert len(planned(leases(owners), "a", expired)) == taken


def test_the_most_loaded_worker_is_robbed() -> None:
    """A stolen lease is one of the worker that holds the most."""
    (stolen,) = planned(leases("bbccc"), "a")
    assert stolen.lease_owner == "c"


def test_ended_shards_count_for_nothing() -> None:
    """They are neither taken nor part of the fair share."""
    assert planned(leases("--", ended="01"), "a") == []
    assert len(planned(leases("bb--", ended="01"), "a")) == 2


def test_our_own_lease_that_nobody_works_on_is_taken_at_once() -> None:
    """After a take whose response was lost, or a loss of sight, nobody has to wait for it to expire."""
    assert len(planned(leases("a"), "a", held=False)) == 1


def test_workers_that_start_together_prefer_different_leases() -> None:
    """The order of preference depends on the worker."""
    found = leases("-" * 8)
    assert planned(found, "a") != planned(found, "b")


def test_time_counts_from_when_we_saw_the_change() -> None:
    """A counter that moves, or an owner that changes, starts the time anew; a lease gone is forgotten."""
    lease = Lease(lease_key="s", lease_owner="b")
    seen = observe({}, [lease], 5.0)
    assert observe(seen, [lease], 9.0)["s"].since == 5.0
    assert observe(seen, [lease.renewed()], 9.0)["s"].since == 9.0
    assert observe(seen, [lease.released()], 9.0)["s"].since == 9.0
    assert observe(seen, [], 9.0) == {}


def test_a_lease_expires_after_the_failover_time_and_no_sooner() -> None:
    """Exactly at the failover time it is still held."""
    lease = Lease(lease_key="s", lease_owner="b")
    seen = observe({}, [lease], 0.0)

    def at(now: float) -> list[Lease]:
        return plan([lease], seen, worker_id="a", busy=frozenset(), failover_time=10, now=now)

    assert at(10.0) == []
    assert at(10.1) == [lease]
