"""Single rules of the producer's core, step by step."""

import pytest

from fakes.kpl import TinyKinesis
from orderstream.kpl import ProducerConfig
from orderstream.kpl.aggregator import Aggregator
from orderstream.kpl.messages import (
    Close,
    Command,
    Flush,
    GiveUp,
    ListShards,
    MapFailed,
    MapLoaded,
    Put,
    RequestCompleted,
    RequestFailed,
    SendPutRecords,
    Settle,
    Tick,
    Told,
    WakeAt,
)
from orderstream.kpl.outcome import Acknowledged, Failure, Landed, Rejected
from orderstream.kpl.pending import Arrival, PendingRecord
from orderstream.kpl.pipeline import Pipeline
from orderstream.kpl.shard_map import Shard
from orderstream.kpl.slots import Slot

HALF = 2**127
THROTTLED = Failure("ProvisionedThroughputExceededException", "slow down", retryable=True)
DENIED = Failure("AccessDeniedException", "no", retryable=False)


def core(**settings: object) -> Pipeline:
    return Pipeline(ProducerConfig(**settings), lambda: 1.0)


def ready(kinesis: TinyKinesis, **settings: object) -> Pipeline:
    machine = core(**settings)
    machine.on(Tick(), 0.0)
    machine.on(MapLoaded(kinesis.shards), 0.0)
    return machine


def pending(data: bytes, hash_key: int = 0) -> PendingRecord:
    return PendingRecord("key", data, hash_key, len(data) + 3)


def sent(commands: list[Command]) -> list[SendPutRecords]:
    return [command for command in commands if isinstance(command, SendPutRecords)]


def settled(commands: list[Command]) -> list[tuple[bytes, Acknowledged | Rejected]]:
    settles = [
        settle
        for command in commands
        for settle in (command.settles if isinstance(command, GiveUp) else [command])
        if isinstance(settle, Settle)
    ]
    return [(record.data, place(settle.outcome)) for settle in settles for record in settle.records]


def place(outcome: Landed | Rejected) -> Acknowledged | Rejected:
    return Acknowledged(outcome.shard_id, outcome.sequence_number) if isinstance(outcome, Landed) else outcome


def carried(command: SendPutRecords) -> list[list[bytes]]:
    return [[user.data for user in entry.user_records] for entry in command.entries]


def answer(kinesis: TinyKinesis, command: SendPutRecords) -> RequestCompleted:
    return RequestCompleted(command.request_id, [kinesis.take(entry) for entry in command.entries])


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
    ((data, outcome),) = settled(machine.on(MapFailed(DENIED), 0.0))
    assert data == b"1"
    assert isinstance(outcome, Rejected)
    assert "AccessDenied" in outcome.reason
    assert machine.on(Told([]), 0.0) == []
    assert machine.on(Put([pending(b"2")]), 9.0) == [ListShards()]
    assert sent(machine.on(MapLoaded(TinyKinesis.with_shards(1).shards), 9.0))


def test_what_is_given_up_for_good_takes_the_later_ones_of_its_key_along() -> None:
    """Whether they wait behind it or are put before its failure can be known; other keys go on."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    other = PendingRecord("other key", b"other", 0, 14)
    machine.on(Put([pending(b"2"), other, pending(b"3")]), 0.1)
    commands = machine.on(RequestFailed(request.request_id, DENIED), 0.2)
    behind = Rejected("an earlier record of its key was given up: AccessDeniedException: no")
    assert settled(commands) == [
        (b"1", Rejected("AccessDeniedException: no")),
        (b"2", behind),
        (b"3", behind),
    ]
    (request,) = sent(commands)
    assert carried(request) == [[b"other"]]
    assert settled(machine.on(Told([pending(b"4")]), 0.2)) == [(b"4", behind)]
    machine.on(Put([pending(b"1 again")]), 0.3)
    (request,) = sent(machine.on(answer(kinesis, request), 0.3))
    assert carried(request) == [[b"1 again"]]


def test_where_order_is_given_up_a_failure_concerns_its_own_record() -> None:
    """Nobody asked for an order, so nothing needs to be given up for it."""
    machine = ready(TinyKinesis.with_shards(1), ordering="none", max_in_flight_requests=1)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    machine.on(Put([pending(b"2")]), 0.1)
    commands = machine.on(RequestFailed(request.request_id, DENIED), 0.2)
    assert settled(commands) == [(b"1", Rejected("AccessDeniedException: no"))]
    assert carried(sent(commands)[0]) == [[b"2"]]


def test_a_slot_sends_one_record_at_a_time_and_the_next_at_once() -> None:
    """What is put while a record is under way leaves together, in the moment of the acknowledgement."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (first,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    assert sent(machine.on(Put([pending(b"2")]), 0.0)) == []
    assert sent(machine.on(Put([pending(b"3")]), 0.0)) == []
    commands = machine.on(answer(kinesis, first), 0.1)
    assert settled(commands) == [(b"1", Acknowledged(kinesis.shards[0].shard_id, "0"))]
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
    assert [data for data, _ in settled(commands)] == [b"right"]
    assert commands[-1] == WakeAt(1.5)
    assert not sent(machine.on(Put([pending(b"2")]), 1.0))
    (again,) = sent(machine.on(Tick(), 1.5))
    assert carried(again) == [[b"1", b"2"]]
    (outcome,) = [
        each.outcome for each in machine.on(answer(kinesis, again), 2.0) if isinstance(each, Settle)
    ]
    assert isinstance(outcome, Landed)
    (failed,) = records[0].attempts
    assert (failed.error_code, failed.started, failed.ended) == (THROTTLED.code, 0.0, 0.5)
    assert (outcome.attempt.error_code, outcome.attempt.started, outcome.attempt.ended) == (None, 1.5, 2.0)


def test_a_failed_call_sends_all_of_it_again() -> None:
    """A lost answer may duplicate and never loses."""
    machine = ready(TinyKinesis.with_shards(2))
    (request,) = sent(machine.on(Put([pending(b"left"), pending(b"right", HALF)]), 0.0))
    machine.on(RequestFailed(request.request_id, THROTTLED), 0.0)
    assert carried(sent(machine.on(Tick(), 1.0))[0]) == [[b"left"], [b"right"]]


def test_a_permanent_failure_rejects_and_the_slot_goes_on() -> None:
    """What can never succeed is reported once, with its reason; later records are tried."""
    machine = ready(TinyKinesis.with_shards(1))
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    machine.on(Put([PendingRecord("other key", b"2", 0, 10)]), 0.0)
    commands = machine.on(RequestFailed(request.request_id, DENIED), 0.0)
    assert settled(commands) == [(b"1", Rejected("AccessDeniedException: no"))]
    assert carried(sent(commands)[0]) == [[b"2"]]


def split(kinesis: TinyKinesis) -> tuple[Shard, Shard]:
    kinesis.split(kinesis.open[0], HALF)
    left, right = kinesis.open
    return left, right


def test_an_aggregate_across_a_split_is_sent_again_whole() -> None:
    """Consumers drop it whole, so it comes back whole; nothing is reported before the map was read."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"left"), pending(b"right", HALF)]), 0.0))
    left, right = split(kinesis)
    commands = machine.on(answer(kinesis, request), 0.1)
    assert commands == [ListShards()]
    assert machine.on(Put([pending(b"later")]), 0.1) == []
    commands = machine.on(MapLoaded(kinesis.shards), 0.2)
    assert settled(commands) == []
    (again,) = sent(commands)
    assert sorted(carried(again)) == [[b"left", b"later"], [b"right"]]
    shards = dict(settled(machine.on(answer(kinesis, again), 0.3)))
    places = {data: outcome.shard_id for data, outcome in shards.items() if isinstance(outcome, Acknowledged)}
    assert places == {b"left": left.shard_id, b"later": left.shard_id, b"right": right.shard_id}


def test_an_aggregate_that_fits_the_child_is_settled_by_the_fresh_map() -> None:
    """Landing in a shard never heard of is no failure if all its records belong there."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"1"), pending(b"2", 7)]), 0.0))
    left, _ = split(kinesis)
    assert settled(machine.on(answer(kinesis, request), 0.1)) == []
    commands = machine.on(MapLoaded(kinesis.shards), 0.2)
    assert settled(commands) == [
        (b"1", Acknowledged(left.shard_id, "0")),
        (b"2", Acknowledged(left.shard_id, "0")),
    ]


def test_a_listing_that_lags_behind_settles_nothing() -> None:
    """Until a listing knows the landed shard the records stay unsettled, and the map is read again."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, retry_base_delay=1.0)
    old_listing = list(kinesis.shards)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    split(kinesis)
    machine.on(answer(kinesis, request), 0.0)
    assert machine.on(MapLoaded(old_listing), 0.0) == [WakeAt(1.0)]
    assert machine.on(Tick(), 1.0) == [ListShards()]
    assert [data for data, _ in settled(machine.on(MapLoaded(kinesis.shards), 1.0))] == [b"1"]


def test_if_the_map_is_denied_what_cannot_be_judged_is_rejected() -> None:
    """A record whose landing nobody may verify is not reported as delivered."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    split(kinesis)
    machine.on(answer(kinesis, request), 0.0)
    ((_, outcome),) = settled(machine.on(MapFailed(DENIED), 0.0))
    assert isinstance(outcome, Rejected)


def test_after_a_merge_the_slot_waits_for_what_is_under_way_from_both_sides() -> None:
    """A range is free only when no unsettled user record overlaps it, whatever its shard was called."""
    kinesis = TinyKinesis.with_shards(2)
    machine = ready(kinesis)
    (left,) = sent(machine.on(Put([pending(b"left")]), 0.0))
    (right,) = sent(machine.on(Put([pending(b"right", HALF)]), 0.0))
    kinesis.merge(*kinesis.open)
    machine.on(answer(kinesis, left), 0.1)
    machine.on(MapLoaded(kinesis.shards), 0.2)
    assert not sent(machine.on(Put([pending(b"next")]), 0.3))
    assert carried(sent(machine.on(answer(kinesis, right), 0.4))[0]) == [[b"next"]]


def test_the_limiter_holds_a_shard_back_and_wakes_for_it() -> None:
    """Records beyond the shard's rate wait for their time instead of being refused."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, records_per_second_per_shard=1)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    commands = machine.on(Put([pending(b"2")]), 0.0)
    commands = machine.on(answer(kinesis, request), 0.0)
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
    outcomes = settled(machine.on(Close(), 0.0))
    assert [data for data, _ in outcomes] == [b"1", b"2"]
    assert all(isinstance(outcome, Rejected) and outcome.unsent for _, outcome in outcomes)
    assert machine.on(answer(kinesis, request), 0.1) == []
    assert machine.on(MapLoaded(kinesis.shards), 0.1) == []
    assert machine.on(MapFailed(DENIED), 0.1) == []
    assert [data for data, _ in settled(machine.on(Put([pending(b"3")]), 0.2))] == [b"3"]
    assert machine.on(Close(), 0.3) == []


def test_closing_without_a_map_rejects_what_waited_for_it() -> None:
    """Records that never had a slot are handed back as well."""
    machine = core()
    machine.on(Put([pending(b"1")]), 0.0)
    assert [data for data, _ in settled(machine.on(Close(), 0.0))] == [b"1"]


def test_attempts_do_not_grow_without_end() -> None:
    """Through a long outage a record remembers the most recent attempts only."""
    machine = ready(TinyKinesis.with_shards(1), retry_base_delay=1.0, retry_max_delay=1.0)
    record = pending(b"1")
    requests = sent(machine.on(Put([record]), 0.0))
    for second in range(1, 101):
        machine.on(RequestFailed(requests[0].request_id, THROTTLED), second)
        requests = sent(machine.on(Tick(), second + 1))
    assert len(record.attempts) == 16
    assert record.attempts[-1].ended == 100


def test_the_last_attempt_is_reported_before_later_records_of_the_key_go_out() -> None:
    """What was put in between has attempts left: it goes on in its order, behind the report."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, max_attempts=2, retry_base_delay=1.0, retry_max_delay=1.0)
    (first,) = sent(machine.on(Put([pending(b"1"), pending(b"2")]), 0.0))
    machine.on(Put([pending(b"3")]), 0.0)
    assert settled(machine.on(RequestFailed(first.request_id, THROTTLED), 0.0)) == []
    (again,) = sent(machine.on(Tick(), 1.0))
    assert carried(again) == [[b"1", b"2", b"3"]]
    commands = machine.on(RequestFailed(again.request_id, THROTTLED), 1.0)
    reason = f"attempt 2 of 2 failed with {THROTTLED.code}: {THROTTLED.message}"
    assert settled(commands) == [(b"1", Rejected(reason)), (b"2", Rejected(reason))]
    assert not sent(commands)
    (rest,) = sent(machine.on(Tick(), 2.0))
    assert carried(rest) == [[b"3"]]
    ((_, outcome),) = settled(machine.on(answer(kinesis, rest), 2.1))
    assert isinstance(outcome, Acknowledged)


def test_an_only_attempt_may_fail_in_each_way() -> None:
    """A refused entry, a failed call and an aggregate that consumers drop each end a record's attempts."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, max_attempts=1)
    (request,) = sent(machine.on(Put([pending(b"refused")]), 0.0))
    commands = machine.on(RequestCompleted(request.request_id, [THROTTLED]), 0.0)
    assert [data for data, _ in settled(commands)] == [b"refused"]
    (request,) = sent(machine.on(Put([pending(b"left"), pending(b"right", HALF)]), 9.0))
    split(kinesis)
    machine.on(answer(kinesis, request), 9.0)
    outcomes = settled(machine.on(MapLoaded(kinesis.shards), 9.0))
    wrong = Rejected("attempt 1 of 1 failed with WrongShard")
    assert outcomes == [(b"left", wrong), (b"right", wrong)]
    (request,) = sent(machine.on(Put([pending(b"next")]), 10.0))
    assert settled(machine.on(answer(kinesis, request), 10.0))[0][0] == b"next"


def test_more_attempts_count_than_are_remembered() -> None:
    """The bound holds beyond the sixteen attempts that a record remembers."""
    machine = ready(TinyKinesis.with_shards(1), max_attempts=20, retry_base_delay=1.0, retry_max_delay=1.0)
    requests = sent(machine.on(Put([pending(b"1")]), 0.0))
    for attempt in range(1, 21):
        assert requests, attempt
        outcomes = settled(machine.on(RequestFailed(requests[0].request_id, THROTTLED), attempt))
        assert bool(outcomes) == (attempt == 20)
        requests = sent(machine.on(Tick(), attempt + 1))
    assert not requests


def test_each_record_of_an_aggregate_has_its_own_deadline() -> None:
    """An old one behind a young one, as a merge brings together, is given up in its own time."""
    kinesis = TinyKinesis.with_shards(2)
    machine = ready(kinesis, delivery_timeout=10.0, retry_base_delay=0.1, retry_max_delay=0.1)
    (first,) = sent(machine.on(Put([pending(b"old")]), 0.0))
    (second,) = sent(machine.on(Put([pending(b"young", HALF)]), 8.0))
    kinesis.merge(*kinesis.open)
    machine.on(MapLoaded(kinesis.shards), 8.1)
    machine.on(RequestFailed(first.request_id, THROTTLED), 8.2)
    machine.on(RequestFailed(second.request_id, THROTTLED), 8.3)
    (both,) = sent(machine.on(Tick(), 8.5))
    assert carried(both) == [[b"young", b"old"]]
    machine.on(Tick(), 10.0)
    given_up = settled(machine.on(RequestFailed(both.request_id, THROTTLED), 10.5))
    assert [data for data, _ in given_up] == [b"old"]


def test_what_is_young_stays_packed_when_the_old_is_given_up() -> None:
    """Only what holds an expired record is opened: a long queue is not packed anew at each step."""
    aggregator = Aggregator(ProducerConfig(aggregate_target_bytes=1024))
    slot = Slot(0, "shard", aggregator)
    records = [pending(bytes(200)) for _ in range(20)]
    for put_at, record in enumerate(records):
        record.arrival = Arrival(1, put_at)
    slot.extend(records)
    before = list(slot.queue)
    assert slot.take_out(lambda record: record.arrival.put_at <= 5) == records[:6]
    assert slot.user_records() == records[6:]
    assert slot.queued_bytes == sum(record.size for record in records[6:])
    assert list(slot.queue)[-2:] == before[-2:]


def test_a_record_that_waits_beyond_its_deadline_is_given_up() -> None:
    """Before the map is there, in the queue, or after a refusal: the core wakes for it and says why."""
    unmapped = core(delivery_timeout=5.0)
    unmapped.on(Tick(), 0.0)
    assert unmapped.on(Put([pending(b"1")]), 1.0) == [WakeAt(6.0)]
    (data, outcome), *others = settled(unmapped.on(Tick(), 6.0))
    assert (data, others) == (b"1", [])
    assert isinstance(outcome, Rejected)
    assert outcome == Rejected("not acknowledged within 5.0 s")

    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, delivery_timeout=5.0)
    (request,) = sent(machine.on(Put([pending(b"under way")]), 1.0))
    machine.on(Put([pending(b"behind")]), 2.0)
    assert settled(machine.on(Tick(), 6.5)) == []
    assert [data for data, _ in settled(machine.on(Tick(), 7.0))] == [b"behind"]
    commands = machine.on(RequestFailed(request.request_id, THROTTLED), 8.0)
    assert [data for data, _ in settled(commands)] == [b"under way"]
    assert not sent(commands)


def test_an_answer_in_time_beats_the_deadline() -> None:
    """A deadline that passes while the record is under way does not undo its acknowledgement."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, delivery_timeout=5.0)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    assert settled(machine.on(Tick(), 9.0)) == []
    ((_, outcome),) = settled(machine.on(answer(kinesis, request), 9.5))
    assert isinstance(outcome, Acknowledged)


def test_a_landing_that_nobody_can_judge_in_time_is_given_up_and_frees_its_slot() -> None:
    """Where the shard map stays away, the deadline holds too, and the next record may go."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, delivery_timeout=5.0)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    split(kinesis)
    machine.on(answer(kinesis, request), 0.1)
    assert [data for data, _ in settled(machine.on(Tick(), 5.0))] == [b"1"]
    assert sent(machine.on(Put([pending(b"2")]), 5.1))
