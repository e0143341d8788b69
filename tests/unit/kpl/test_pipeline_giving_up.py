"""When the producer's core gives a record up: attempts, deadlines, and failures for good."""

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
    split,
)
from orderstream import ProducerConfig
from orderstream.producer.core.aggregator import Aggregator
from orderstream.producer.core.messages import (
    MapLoaded,
    Put,
    Reported,
    RequestCompleted,
    RequestFailed,
    Tick,
    WakeAt,
)
from orderstream.producer.core.pending import Arrival, PendingRecord
from orderstream.producer.core.slots import Slot
from orderstream.producer.outcome import Acknowledged, Rejected


def test_what_is_given_up_for_good_takes_the_later_ones_of_its_key_along() -> None:
    """Whether they wait behind it or are put before its failure can be known; other keys go on."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    other = PendingRecord("other key", b"other", 0, 14)
    machine.on(Put([pending(b"2"), other, pending(b"3")]), 0.1)
    commands = machine.on(RequestFailed(request.request_id, DENIED), 0.2)
    behind = Rejected("an earlier record of its key was given up: AccessDeniedException: no")
    assert completed(commands) == [
        (b"1", Rejected("AccessDeniedException: no")),
        (b"2", behind),
        (b"3", behind),
    ]
    (request,) = sent(commands)
    assert carried(request) == [[b"other"]]
    assert completed(machine.on(Reported([pending(b"4")]), 0.2)) == [(b"4", behind)]
    machine.on(Put([pending(b"1 again")]), 0.3)
    (request,) = sent(machine.on(response(kinesis, request), 0.3))
    assert carried(request) == [[b"1 again"]]


def test_where_order_is_given_up_a_failure_concerns_its_own_record() -> None:
    """Nobody asked for an order, so nothing needs to be given up for it."""
    machine = ready(TinyKinesis.with_shards(1), ordering="none", max_in_flight_requests=1)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    machine.on(Put([pending(b"2")]), 0.1)
    commands = machine.on(RequestFailed(request.request_id, DENIED), 0.2)
    assert completed(commands) == [(b"1", Rejected("AccessDeniedException: no"))]
    assert carried(sent(commands)[0]) == [[b"2"]]


def test_a_permanent_failure_rejects_and_the_slot_goes_on() -> None:
    """What can never succeed is reported once, with its reason; later records are tried."""
    machine = ready(TinyKinesis.with_shards(1))
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    machine.on(Put([PendingRecord("other key", b"2", 0, 10)]), 0.0)
    commands = machine.on(RequestFailed(request.request_id, DENIED), 0.0)
    assert completed(commands) == [(b"1", Rejected("AccessDeniedException: no"))]
    assert carried(sent(commands)[0]) == [[b"2"]]


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
    assert completed(machine.on(RequestFailed(first.request_id, THROTTLED), 0.0)) == []
    (again,) = sent(machine.on(Tick(), 1.0))
    assert carried(again) == [[b"1", b"2", b"3"]]
    commands = machine.on(RequestFailed(again.request_id, THROTTLED), 1.0)
    reason = f"attempt 2 of 2 failed with {THROTTLED.code}: {THROTTLED.message}"
    assert completed(commands) == [(b"1", Rejected(reason)), (b"2", Rejected(reason))]
    assert not sent(commands)
    (rest,) = sent(machine.on(Tick(), 2.0))
    assert carried(rest) == [[b"3"]]
    ((_, outcome),) = completed(machine.on(response(kinesis, rest), 2.1))
    assert isinstance(outcome, Acknowledged)


def test_an_only_attempt_may_fail_in_each_way() -> None:
    """A refused entry, a failed call and an aggregate that consumers drop each end a record's attempts."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, max_attempts=1)
    (request,) = sent(machine.on(Put([pending(b"refused")]), 0.0))
    commands = machine.on(RequestCompleted(request.request_id, [THROTTLED]), 0.0)
    assert [data for data, _ in completed(commands)] == [b"refused"]
    (request,) = sent(machine.on(Put([pending(b"left"), pending(b"right", HALF)]), 9.0))
    split(kinesis)
    machine.on(response(kinesis, request), 9.0)
    outcomes = completed(machine.on(MapLoaded(kinesis.shards), 9.0))
    wrong = Rejected("attempt 1 of 1 failed with WrongShard")
    assert outcomes == [(b"left", wrong), (b"right", wrong)]
    (request,) = sent(machine.on(Put([pending(b"next")]), 10.0))
    assert completed(machine.on(response(kinesis, request), 10.0))[0][0] == b"next"


def test_more_attempts_count_than_are_remembered() -> None:
    """The bound holds beyond the sixteen attempts that a record remembers."""
    machine = ready(TinyKinesis.with_shards(1), max_attempts=20, retry_base_delay=1.0, retry_max_delay=1.0)
    requests = sent(machine.on(Put([pending(b"1")]), 0.0))
    for attempt in range(1, 21):
        assert requests, attempt
        outcomes = completed(machine.on(RequestFailed(requests[0].request_id, THROTTLED), attempt))
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
    given_up = completed(machine.on(RequestFailed(both.request_id, THROTTLED), 10.5))
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
    (data, outcome), *others = completed(unmapped.on(Tick(), 6.0))
    assert (data, others) == (b"1", [])
    assert isinstance(outcome, Rejected)
    assert outcome == Rejected("not acknowledged within 5.0 s")

    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, delivery_timeout=5.0)
    (request,) = sent(machine.on(Put([pending(b"under way")]), 1.0))
    machine.on(Put([pending(b"behind")]), 2.0)
    assert completed(machine.on(Tick(), 6.5)) == []
    assert [data for data, _ in completed(machine.on(Tick(), 7.0))] == [b"behind"]
    commands = machine.on(RequestFailed(request.request_id, THROTTLED), 8.0)
    assert [data for data, _ in completed(commands)] == [b"under way"]
    assert not sent(commands)


def test_a_response_in_time_beats_the_deadline() -> None:
    """A deadline that passes while the record is under way does not undo its acknowledgement."""
    kinesis = TinyKinesis.with_shards(1)
    machine = ready(kinesis, delivery_timeout=5.0)
    (request,) = sent(machine.on(Put([pending(b"1")]), 0.0))
    assert completed(machine.on(Tick(), 9.0)) == []
    ((_, outcome),) = completed(machine.on(response(kinesis, request), 9.5))
    assert isinstance(outcome, Acknowledged)
