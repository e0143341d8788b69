"""Which leases are created from which listing."""

from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.embedded.lifecycle.shard_sync import (
    hole_in,
    leases_at_end,
    leases_to_create,
    uncovered,
)
from orderstream_consumer.processing.record import Position

# 0 was split into 1 and 2; 2 and 3 were merged into 4.
LISTED = [
    Shard("0", HashRange(0, 49), is_open=False),
    Shard("1", HashRange(0, 24), frozenset("0")),
    Shard("2", HashRange(25, 49), frozenset("0"), is_open=False),
    Shard("3", HashRange(50, 99), is_open=False),
    Shard("4", HashRange(25, 99), frozenset("23")),
]


def created(leases: list[Lease], position: str = "TRIM_HORIZON", listed: list[Shard] = LISTED) -> list[str]:
    return sorted(lease.lease_key for lease in leases_to_create(listed, leases, position))


def held(key: str, parents: str = "", ended: bool = False) -> Lease:
    checkpoint = "SHARD_END" if ended else Position(1)
    return Lease(lease_key=key, checkpoint=checkpoint, parent_shard_ids=frozenset(parents))


def test_a_fresh_application_begins_with_the_oldest_shards() -> None:
    """Only shards without a listed parent; their range and position stand in the lease."""
    assert created([]) == ["0", "3"]
    (first, _) = leases_to_create(LISTED, [], "TRIM_HORIZON")
    assert first == Lease(lease_key="0", hash_range=HashRange(0, 49))


def test_children_wait_for_their_parents_to_end() -> None:
    """Nothing while the parents are under way, and what a crash left out once they have ended."""
    assert created([held("0"), held("3")]) == []
    assert created([held("0", ended=True), held("3")]) == ["1", "2"]
    assert created([held("0", ended=True), held("1", "0"), held("3")]) == ["2"]


def test_a_merged_shard_waits_for_both_parents() -> None:
    """One parent's end is not enough."""
    base = [held("0", ended=True), held("1", "0")]
    assert created([*base, held("2", "0", ended=True), held("3")]) == []
    assert created([*base, held("2", "0", ended=True), held("3", ended=True)]) == ["4"]


def test_a_parent_that_was_left_out_comes_before_the_merged_shard() -> None:
    """A parent without a lease gets one as long as no descendant has."""
    assert created([held("0", ended=True), held("1", "0"), held("2", "0", ended=True)]) == ["3"]


def test_what_was_cleaned_up_is_not_replayed() -> None:
    """A listed shard whose descendant has a lease is done, whether or not the shards between are listed."""
    assert created([held("1", "0"), held("4", "23")]) == []
    assert created([held("1", "0"), held("4", "23")], listed=[LISTED[0], LISTED[1]]) == []


def test_shards_past_retention_are_no_parents() -> None:
    """A shard begins a lineage when its parents are no longer listed."""
    assert created([], listed=LISTED[1:]) == ["1", "2", "3"]


def test_the_latest_position_begins_with_open_shards() -> None:
    """Closed shards are left out; children of shards we work on come in their turn, from their beginning."""
    assert created([], "LATEST") == ["1", "4"]
    assert {lease.checkpoint for lease in leases_to_create(LISTED, [], "LATEST")} == {"LATEST"}
    assert created([held("3")], "LATEST") == ["1", "2"]
    assert created([held("0"), held("3")], "LATEST") == []
    (one, two) = leases_to_create(LISTED, [held("0", ended=True), held("3")], "LATEST")
    assert one.checkpoint == two.checkpoint == "TRIM_HORIZON"


def test_a_timestamp_holds_for_children_too() -> None:
    """It may lie beyond the parent's end; for the other positions children begin at their beginning."""
    assert {lease.checkpoint for lease in leases_to_create(LISTED, [], "AT_TIMESTAMP")} == {"AT_TIMESTAMP"}
    for position, begins in (("AT_TIMESTAMP", "AT_TIMESTAMP"), ("LATEST", "TRIM_HORIZON")):
        children = leases_at_end(held("0"), (), LISTED, [held("0"), held("3")], position)
        assert {lease.checkpoint for lease in children} == {begins}


def test_a_hole_is_found() -> None:
    """Ranges may overlap and come in any order; what none covers is a hole."""
    top = 2**128 - 1
    assert uncovered([(50, top), (0, 49)]) is None
    assert uncovered([(0, top), (3, 7)]) is None
    assert uncovered([(60, top), (0, 49)]) == (50, 59)
    assert uncovered([(0, 49)]) == (50, top)
    assert uncovered([]) == (0, top)


def test_a_range_is_covered_by_leases_that_have_not_ended() -> None:
    """Also by those that an older KCL wrote without their range."""
    top = 2**128 - 1
    shards = [Shard("0", HashRange(0, 49)), Shard("1", HashRange(50, top))]
    first, second = (Lease.of_shard(shard, "TRIM_HORIZON") for shard in shards)
    assert hole_in([first, second], shards) is None
    assert hole_in([first, Lease(lease_key="1")], shards) is None
    assert hole_in([first, second.checkpointed("SHARD_END")], shards) == (50, top)
