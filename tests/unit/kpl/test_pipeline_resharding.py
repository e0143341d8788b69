"""The producer's core while shards change: records in a wrong shard, and maps that lag."""

from fakes.kpl import TinyKinesis
from fakes.kpl_pipeline import DENIED, HALF, carried, completed, pending, ready, response, sent, split
from orderstream.producer.core.messages import (
    ListShards,
    MapFailed,
    MapLoaded,
    Put,
    Tick,
    WakeAt,
)
from orderstream.producer.outcome import Acknowledged, Rejected


def test_an_aggregate_across_a_split_is_sent_again_whole() -> None:
    """Consumers drop it whole, so it comes back whole; nothing is reported before the map was read."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"left"), pending(b"right", HALF)]), 0.0))
    left, right = split(kinesis)
    commands = machine.on(response(kinesis, request), 0.1)
    assert commands == [ListShards()]
    assert machine.on(Put([pending(b"later")]), 0.1) == []
    commands = machine.on(MapLoaded(kinesis.shards), 0.2)
    assert completed(commands) == []
    (again,) = sent(commands)
    assert sorted(carried(again)) == [[b"left", b"later"], [b"right"]]
    shards = dict(completed(machine.on(response(kinesis, again), 0.3)))
    positions = {
        data: outcome.shard_id for data, outcome in shards.items() if isinstance(outcome, Acknowledged)
    }
    assert positions == {b"left": left.shard_id, b"later": left.shard_id, b"right": right.shard_id}


def test_an_aggregate_that_fits_the_child_is_sent_by_the_fresh_map() -> None:
    """Landing in a shard never heard of is no failure if all its records belong there."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"1"), pending(b"2", 7)]), 0.0))
    left, _ = split(kinesis)
    assert completed(machine.on(response(kinesis, request), 0.1)) == []
    commands = machine.on(MapLoaded(kinesis.shards), 0.2)
    assert completed(commands) == [
        (b"1", Acknowledged(left.shard_id, "0")),
        (b"2", Acknowledged(left.shard_id, "0")),
    ]


def test_a_listing_that_lags_behind_changes_nothing() -> None:
    """Until a listing knows the landed shard the records stay outstanding, and the map is read again."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, retry_base_delay=1.0)
    old_listing = list(kinesis.shards)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    split(kinesis)
    machine.on(response(kinesis, request), 0.0)
    assert machine.on(MapLoaded(old_listing), 0.0) == [WakeAt(1.0)]
    assert machine.on(Tick(), 1.0) == [ListShards()]
    assert [data for data, _ in completed(machine.on(MapLoaded(kinesis.shards), 1.0))] == [b"1"]


def test_if_the_map_is_denied_what_cannot_be_judged_is_rejected() -> None:
    """A record whose landing nobody may verify is not reported as delivered."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    split(kinesis)
    machine.on(response(kinesis, request), 0.0)
    ((_, outcome),) = completed(machine.on(MapFailed(DENIED), 0.0))
    assert isinstance(outcome, Rejected)


def test_after_a_merge_the_slot_waits_for_what_is_under_way_from_both_sides() -> None:
    """A range is free only when no outstanding user record overlaps it, whatever its shard was called."""
    kinesis = TinyKinesis.with_shards(2)
    machine = ready(kinesis)
    (left,) = sent(machine.on(Put([pending(b"left")]), 0.0))
    (right,) = sent(machine.on(Put([pending(b"right", HALF)]), 0.0))
    kinesis.merge(*kinesis.open)
    machine.on(response(kinesis, left), 0.1)
    machine.on(MapLoaded(kinesis.shards), 0.2)
    assert not sent(machine.on(Put([pending(b"next")]), 0.3))
    assert carried(sent(machine.on(response(kinesis, right), 0.4))[0]) == [[b"next"]]


def test_a_landing_that_nobody_can_judge_in_time_is_given_up_and_frees_its_slot() -> None:
    """Where the shard map stays away, the deadline holds too, and the next record may go."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, delivery_timeout=5.0)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    split(kinesis)
    machine.on(response(kinesis, request), 0.1)
    assert [data for data, _ in completed(machine.on(Tick(), 5.0))] == [b"1"]
    assert sent(machine.on(Put([pending(b"2")]), 5.1))
