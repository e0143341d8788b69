"""Single rules of the producer's core, step by step."""

import pytest

from fakes.kpl import TinyKinesis
from fakes.kpl_pipeline import (
    DENIED,
    HALF,
    THROTTLED,
    carried,
    completed,
    core,
    pending,
    ready,
    response,
    sent,
)
from orderstream.producer.core.messages import (
    Close,
    Complete,
    Flush,
    ListShards,
    MapFailed,
    MapLoaded,
    Put,
    Reported,
    RequestCompleted,
    RequestFailed,
    Tick,
    WakeAt,
)
from orderstream.producer.outcome import Acknowledged, Landed, Rejected


def test_nothing_leaves_before_the_shard_map_is_known() -> None:
    """The first input asks for the map; records wait for it and leave with it."""
    machine = core()
    assert machine.on(Tick(), 0.0) == [ListShards()]
    assert machine.on(Put([pending(b"1"), pending(b"2")]), 0.0) == []
    (request,) = sent(machine.on(MapLoaded(TinyKinesis.with_shards(1).shards), 1.0))
    assert carried(request) == [[b"1", b"2"]]


def test_a_map_that_cannot_be_read_is_read_again_later() -> None:
    """A failed or incomplete listing is repeated after a growing delay."""
    machine = core(retry_base_delay=1.0, retry_max_delay=10.0)
    machine.on(Put([pending(b"1")]), 0.0)
    assert machine.on(MapFailed(THROTTLED), 0.0)[1:] == [WakeAt(1.0)]
    assert machine.on(Tick(), 1.0) == [ListShards()]
    assert machine.on(MapLoaded([]), 1.0)[-1] == WakeAt(3.0)
    assert machine.on(Tick(), 2.0) == [WakeAt(3.0)]
    assert machine.on(Tick(), 3.0) == [ListShards()]


def test_a_stream_that_does_not_exist_fails_the_records_and_recovers() -> None:
    """A permanent answer to ListShards rejects what waits; the next record asks again."""
    machine = core()
    machine.on(Put([pending(b"1")]), 0.0)
    ((data, outcome),) = completed(machine.on(MapFailed(DENIED), 0.0))
    assert data == b"1"
    assert isinstance(outcome, Rejected)
    assert "AccessDenied" in outcome.reason
    assert machine.on(Reported([]), 0.0) == []
    assert machine.on(Put([pending(b"2")]), 9.0) == [ListShards()]
    assert sent(machine.on(MapLoaded(TinyKinesis.with_shards(1).shards), 9.0))


def test_a_slot_sends_one_record_at_a_time_and_the_next_at_once() -> None:
    """What is put while a record is under way leaves together, in the moment of the acknowledgement."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (first,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    assert sent(machine.on(Put([pending(b"2")]), 0.0)) == []
    assert sent(machine.on(Put([pending(b"3")]), 0.0)) == []
    commands = machine.on(response(kinesis, first), 0.1)
    assert completed(commands) == [(b"1", Acknowledged(kinesis.shards[0].shard_id, "0"))]
    assert carried(sent(commands)[0]) == [[b"2", b"3"]]


def test_one_request_carries_many_slots() -> None:
    """Slots share no key, so their records may travel together."""
    machine = ready(TinyKinesis.with_shards(2))
    (request,) = sent(machine.on(Put([pending(b"left"), pending(b"right", HALF)]), 0.0))
    assert carried(request) == [[b"left"], [b"right"]]


def test_without_aggregation_different_keys_do_not_wait_for_each_other() -> None:
    """A shard is cut into many slots, and each record travels alone."""
    machine = ready(TinyKinesis.with_shards(1), aggregation=False)
    (request,) = sent(machine.on(Put([pending(b"1", 0), pending(b"2", HALF), pending(b"3", 0)]), 0.0))
    assert carried(request) == [[b"1"], [b"2"]]


def test_without_order_a_slot_does_not_wait() -> None:
    """With ordering none records follow each other unacknowledged, up to the requests allowed."""
    machine = ready(TinyKinesis.with_shards(1), ordering="none", max_in_flight_requests=2)
    assert sent(machine.on(Put([pending(b"1")]), 0.0))
    assert sent(machine.on(Put([pending(b"2")]), 0.0))
    assert not sent(machine.on(Put([pending(b"3")]), 0.0))


def test_a_throttled_record_goes_first_again_after_its_delay() -> None:
    """Only the refused entry is sent again, before what was put later, and remembers its attempts."""
    kinesis = TinyKinesis.with_shards(2)
    machine = ready(kinesis, retry_base_delay=1.0, retry_max_delay=10.0)
    records = [pending(b"1"), pending(b"right", HALF)]
    (request,) = sent(machine.on(Put(records), 0.0))
    taken = kinesis.take(request.entries[1])
    commands = machine.on(RequestCompleted(request.request_id, [THROTTLED, taken]), 0.5)
    assert [data for data, _ in completed(commands)] == [b"right"]
    assert commands[-1] == WakeAt(1.5)
    assert not sent(machine.on(Put([pending(b"2")]), 1.0))
    (again,) = sent(machine.on(Tick(), 1.5))
    assert carried(again) == [[b"1", b"2"]]
    (outcome,) = [
        each.outcome for each in machine.on(response(kinesis, again), 2.0) if isinstance(each, Complete)
    ]
    assert isinstance(outcome, Landed)
    (failed,) = records[0].attempts
    assert (failed.error_code, failed.started, failed.ended) == (THROTTLED.code, 0.0, 0.5)
    assert (outcome.attempt.error_code, outcome.attempt.started, outcome.attempt.ended) == (None, 1.5, 2.0)


def test_a_failed_call_sends_all_of_it_again() -> None:
    """A lost response may duplicate and never loses."""
    machine = ready(TinyKinesis.with_shards(2))
    (request,) = sent(machine.on(Put([pending(b"left"), pending(b"right", HALF)]), 0.0))
    machine.on(RequestFailed(request.request_id, THROTTLED), 0.0)
    assert carried(sent(machine.on(Tick(), 1.0))[0]) == [[b"left"], [b"right"]]


def test_the_limiter_holds_a_shard_back_and_wakes_for_it() -> None:
    """Records beyond the shard's rate wait for their time instead of being refused."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, records_per_second_per_shard=1)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    commands = machine.on(Put([pending(b"2")]), 0.0)
    commands = machine.on(response(kinesis, request), 0.0)
    assert commands[-1] == WakeAt(1.0)
    assert sent(machine.on(Tick(), 1.0))


def test_a_lingering_record_leaves_when_its_time_is_up() -> None:
    """Linger trades latency for company."""
    machine = ready(TinyKinesis.with_shards(1), linger=2.0)
    assert machine.on(Put([pending(b"1")]), 1.0) == [WakeAt(3.0)]
    assert sent(machine.on(Put([pending(b"2")]), 2.0)) == []
    assert carried(sent(machine.on(Tick(), 3.0))[0]) == [[b"1", b"2"]]


def test_an_aggregate_of_as_many_as_it_may_hold_does_not_linger() -> None:
    """Nobody can join it, however small it is."""
    machine = ready(TinyKinesis.with_shards(1), linger=2.0, aggregate_max_records=2)
    assert sent(machine.on(Put([pending(b"1")]), 1.0)) == []
    assert carried(sent(machine.on(Put([pending(b"2")]), 1.0))[0]) == [[b"1", b"2"]]


@pytest.mark.parametrize("event", [Flush(), Put([pending(bytes(2000))])])
def test_flush_and_a_full_aggregate_end_the_linger(event: Flush | Put) -> None:
    """There is nothing to wait for when the application wants it out or the aggregate is full."""
    machine = ready(TinyKinesis.with_shards(1), linger=2.0, aggregate_target_bytes=1024)
    machine.on(Put([pending(b"1")]), 1.0)
    assert sent(machine.on(event, 1.0))


def test_aggregates_grow_with_what_waits_up_to_their_cap() -> None:
    """At an easy pace the target holds; behind, aggregates grow so that a shard's bytes can be used up."""
    kinesis = TinyKinesis.with_shards(1)
    settings = {"aggregate_target_bytes": 1024, "aggregate_max_bytes": 4096}
    (easy,) = sent(ready(kinesis, **settings).on(Put([pending(bytes(90)) for _ in range(20)]), 0.0))
    (behind,) = sent(ready(kinesis, **settings).on(Put([pending(bytes(90)) for _ in range(2000)]), 0.0))
    assert 900 < easy.entries[0].size <= 1024
    assert 3900 < behind.entries[0].size <= 4096


def test_a_request_keeps_to_its_limits() -> None:
    """Entries and bytes beyond them go into the next request."""
    machine = ready(TinyKinesis.with_shards(5), collection_max_records=2)
    step = 2**128 // 5
    puts = [pending(b"%d" % index, step * index + 1) for index in range(5)]
    assert [len(request.entries) for request in sent(machine.on(Put(puts), 0.0))] == [2, 2, 1]


def test_closing_rejects_what_is_left_once() -> None:
    """In flight, queued or late: each record has its outcome, and answers that come later change nothing."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    machine.on(Put([pending(b"2")]), 0.0)
    outcomes = completed(machine.on(Close(), 0.0))
    assert [data for data, _ in outcomes] == [b"1", b"2"]
    assert all(isinstance(outcome, Rejected) and outcome.unsent for _, outcome in outcomes)
    assert machine.on(response(kinesis, request), 0.1) == []
    assert machine.on(MapLoaded(kinesis.shards), 0.1) == []
    assert machine.on(MapFailed(DENIED), 0.1) == []
    assert [data for data, _ in completed(machine.on(Put([pending(b"3")]), 0.2))] == [b"3"]
    assert machine.on(Close(), 0.3) == []


def test_closing_without_a_map_rejects_what_waited_for_it() -> None:
    """Records that never had a slot are handed back as well."""
    machine = core()
    machine.on(Put([pending(b"1")]), 0.0)
    assert [data for data, _ in completed(machine.on(Close(), 0.0))] == [b"1"]
