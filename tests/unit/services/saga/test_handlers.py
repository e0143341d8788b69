"""What is committed and emitted for the coordinator's decisions."""

import datetime as dt
import logging
from collections.abc import Sequence

import pytest

from fakes.delivery import delivered
from orderstream.errors import DependencyError
from orderstream.events import (
    MESSAGE_TYPES,
    REGISTRY,
    CapturePayment,
    Customer,
    Envelope,
    Event,
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    PaymentCaptured,
    PaymentRefunded,
    ShipOrder,
    StepOverdue,
    StockRejected,
    StockReleased,
    StockReserved,
    decode_envelope,
    derived_id,
    following,
    initial,
)
from orderstream_workers.effects.emitter import CollectingEmitter
from orderstream_workers.services.saga import TABLES, SagaHandlers, TimerPoller, find_order, open_orders
from orderstream_workers.services.saga.definition import definition_of
from orderstream_workers.services.saga.handlers import MAX_CANCELLATIONS
from orderstream_workers.services.saga.state import Phase
from orderstream_workers.store import MemoryStore

FLOW = definition_of(1)
"""The flow that these tests tell of, whichever new orders follow."""

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
ORDER = "o-1"
PLACED = initial(
    OrderPlaced(
        order_id=ORDER,
        customer=Customer(customer_id="17850"),
        country="France",
        lines=(OrderLine(sku="A", quantity=2, unit_price="1.00", total_minor=200),),
        total_minor=200,
        currency="GBP",
    ),
    source="orders",
    event_id="placed",
    time=NOW,
)
RESERVED = StockReserved(order_id=ORDER)
REJECTED = StockRejected(order_id=ORDER, reason="out_of_stock", sku="A")
CAPTURED = PaymentCaptured(order_id=ORDER, amount_minor=200, currency="GBP", charge_id="ch_1")
REFUNDED = PaymentRefunded(order_id=ORDER, amount_minor=200, currency="GBP", refund_id="re_1")


class Interrupted(CollectingEmitter):
    """A stream that can be away."""

    away = False

    def emit(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        if self.away:
            raise DependencyError("kinesis", "PutRecords", "no answer")
        super().emit(envelopes, partition_key)


class Coordinator:
    """The handlers over stores in memory, fed with one order's messages."""

    def __init__(self, inbox_capacity: int = 64) -> None:
        self.store = MemoryStore()
        self.emitter = Interrupted()
        self.now = NOW
        handlers = SagaHandlers(
            store=self.store,
            emitter=self.emitter,
            clock=lambda: self.now,
            inbox_capacity=inbox_capacity,
            current=FLOW,
        )
        self.routes = handlers.routes()
        self.sequence = 0

    def hear(
        self, envelope: Envelope, sequence: int | None = None, arrival: dt.datetime | None = None
    ) -> list[Envelope]:
        """Deliver an envelope, at the next position unless one is named; gives what it made the saga emit."""
        self.sequence += 1
        before = len(self.emitter.emitted)
        self.routes[envelope.type](delivered(envelope, sequence or self.sequence, arrival=arrival))
        return [decode_envelope(data) for data in self.emitter.emitted[before:]]

    def hear_while_the_stream_is_away(self, envelope: Envelope, sequence: int) -> None:
        """Deliver an envelope; what it leads to is committed, and reaches nobody."""
        self.emitter.away = True
        try:
            self.hear(envelope, sequence)
        finally:
            self.emitter.away = False

    def asked(self, mark: str) -> Envelope:
        """The command that carries a mark."""
        every = [decode_envelope(data) for data in self.emitter.emitted]
        return next(envelope for envelope in every if envelope.correlation_id == mark and envelope.reply_to)

    def answer(self, mark: str, event: Event) -> list[Envelope]:
        """Deliver the answer to the command that carries a mark."""
        return self.hear(following(self.asked(mark), event, source=event.owner, ordinal=0, time=self.now))

    def phase(self) -> Phase:
        saga = find_order(self.store, ORDER)
        assert saga is not None
        return saga.phase

    def timers(self) -> set[tuple[str, int]]:
        return {
            (str(item.attributes["step"]), int(str(item.attributes["attempt"])))
            for item in self.store.scan("saga-timers")
        }


@pytest.fixture
def coordinator() -> Coordinator:
    return Coordinator()


def test_commands_carry_the_saga_s_mark_and_address(coordinator: Coordinator) -> None:
    """A request names its step and attempt, where its answer goes, and what caused it."""
    reserve, capture = coordinator.hear(PLACED)
    assert [reserve.type, capture.type] == ["inventory.ReserveStock", "payments.CapturePayment"]
    assert [reserve.correlation_id, capture.correlation_id] == ["reserve_stock:1", "capture_payment:1"]
    for place, command in enumerate((reserve, capture)):
        assert command.id == derived_id("saga", "placed", place)
        assert (command.source, command.reply_to) == ("saga", "saga")
        assert (command.conversation_id, command.causation_id) == ("placed", "placed")
        assert command.time == NOW


def test_a_whole_order_goes_through(coordinator: Coordinator) -> None:
    """From the first message to the confirmation, each answer leads to the next request."""
    coordinator.hear(PLACED)
    assert coordinator.answer("reserve_stock:1", RESERVED) == []
    (ship,) = coordinator.answer("capture_payment:1", CAPTURED)
    assert ship.message() == ShipOrder(order_id=ORDER, country="France", units=2)
    assert [saga.phase for saga in open_orders(coordinator.store)] == ["committed"]


def test_redelivery_emits_the_same_bytes(coordinator: Coordinator) -> None:
    """After a crash the stored commands go out again, whatever the clock says by then."""
    coordinator.hear(PLACED, 7)
    coordinator.now += dt.timedelta(hours=1)
    coordinator.hear(PLACED, 7)
    first, second = coordinator.emitter.emitted[:2], coordinator.emitter.emitted[2:]
    assert second == first


def test_a_duplicate_elsewhere_in_the_stream_is_dropped(coordinator: Coordinator) -> None:
    """A producer's repetition does not cascade."""
    coordinator.hear(PLACED, 7)
    assert coordinator.hear(PLACED, 8) == []


def test_each_wait_has_a_row_until_it_is_answered(coordinator: Coordinator) -> None:
    """Timers are written and cleared together with the order."""
    coordinator.hear(PLACED)
    assert coordinator.timers() == {("reserve_stock", 1), ("capture_payment", 1)}
    coordinator.answer("capture_payment:1", CAPTURED)
    assert coordinator.timers() == {("reserve_stock", 1)}
    coordinator.answer("reserve_stock:1", REJECTED)
    assert coordinator.timers() == {("capture_payment", 2)}
    (cancelled,) = coordinator.answer("capture_payment:2", REFUNDED)
    assert cancelled.type == "OrderCancelled"
    assert coordinator.timers() == set()
    assert list(open_orders(coordinator.store)) == []


def test_a_request_made_again_is_a_new_message(
    coordinator: Coordinator, caplog: pytest.LogCaptureFixture
) -> None:
    """A repeated request must not be dropped as a duplicate of the first; operators hear of it."""
    coordinator.hear(PLACED)
    coordinator.answer("reserve_stock:1", RESERVED)
    (first,) = coordinator.answer("capture_payment:1", CAPTURED)
    late = initial(
        StepOverdue(order_id=ORDER, step="ship_order", attempt=1),
        source="saga",
        event_id="late",
        time=NOW + dt.timedelta(minutes=10),
    )
    with caplog.at_level(logging.ERROR):
        (second,) = coordinator.hear(late)
    assert second.message() == first.message()
    assert second.id != first.id
    assert second.correlation_id == "ship_order:2"
    assert [record.getMessage()[:5] for record in caplog.records] == ["ALERT"]
    assert coordinator.timers() == {("ship_order", 2)}


def test_a_cancellation_of_an_unknown_order_is_answered_once(coordinator: Coordinator) -> None:
    """It is refused, the refusal is the same when it is redelivered, and the order may still be placed."""
    request = initial(
        OrderCancellationRequested(order_id=ORDER),
        source="orders",
        event_id="cancel",
        time=NOW,
        correlation_id="the customer's own",
    )
    (refused,) = coordinator.hear(request, 1)
    assert refused.message() == OrderCancellationRefused(order_id=ORDER, reason="unknown_order")
    assert refused.correlation_id == "the customer's own"
    assert list(open_orders(coordinator.store)) == []
    commands = coordinator.hear(PLACED, 2)
    assert len(commands) == 2
    assert coordinator.hear(request, 1) == [refused]
    assert [saga.phase for saga in open_orders(coordinator.store)] == ["running"]


def test_an_answer_without_an_order_is_told_to_operators(
    coordinator: Coordinator, caplog: pytest.LogCaptureFixture
) -> None:
    """It is ignored, leaves nothing behind, and the log says so."""
    stray = initial(RESERVED, source="inventory", event_id="stray", time=NOW)
    with caplog.at_level(logging.WARNING):
        assert coordinator.hear(stray) == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert list(coordinator.store.scan("saga-orders")) == []


def test_the_saga_hears_all_that_is_meant_for_it(coordinator: Coordinator) -> None:
    """Its routes are exactly the messages whose contract names it as a consumer."""
    meant = {kind.type_name() for kind in MESSAGE_TYPES if "saga" in kind.consumers}
    assert set(coordinator.routes) >= meant
    heard = {name: REGISTRY.type_of(name) for name in coordinator.routes}
    assert [name for name, kind in heard.items() if kind is None or "saga" not in kind.consumers] == []


def test_the_tables_are_the_ones_that_are_used(coordinator: Coordinator) -> None:
    """What the service declares is what it writes to."""
    coordinator.hear(PLACED)
    assert all(list(coordinator.store.scan(table.name)) for table in TABLES)
    assert [table.sorted for table in TABLES] == [False, True]


def test_a_payment_says_until_when_it_may_be_charged(coordinator: Coordinator) -> None:
    """The limit counts from the decision, and is stored with it."""
    _, capture = coordinator.hear(PLACED)
    message = capture.message()
    assert isinstance(message, CapturePayment)
    assert message.not_after == NOW + dt.timedelta(minutes=15)


def test_a_cancellation_that_was_heard_is_not_refused_when_it_is_delivered_again(
    coordinator: Coordinator,
) -> None:
    """A second request while the order is being cancelled is answered by that, once and for all."""
    coordinator.hear(PLACED)
    requests = [
        initial(OrderCancellationRequested(order_id=ORDER), source="orders", event_id=f"c-{n}", time=NOW)
        for n in range(2)
    ]
    coordinator.hear(requests[0])
    assert coordinator.hear(requests[1], 50) == []
    coordinator.answer("reserve_stock:2", StockReleased(order_id=ORDER))
    (ended,) = coordinator.answer("capture_payment:2", REFUNDED)
    assert ended.type == OrderCancelled.type_name()
    assert coordinator.hear(requests[1], 50) == []


def cancellation(key: str) -> Envelope:
    request = OrderCancellationRequested(order_id=ORDER)
    return initial(request, source="orders", event_id=f"cancel {key}", time=NOW)


def test_a_refused_cancellation_is_never_answered_otherwise() -> None:
    """The order moves on and the inbox forgets; the same request again gets no second answer."""
    coordinator = Coordinator(inbox_capacity=1)
    (refused,) = coordinator.hear(cancellation("early"))
    assert refused.message().reason == "unknown_order"
    coordinator.hear(PLACED)
    assert coordinator.hear(cancellation("early")) == []
    assert coordinator.phase() is Phase.RUNNING, "what was refused does not cancel the order later"


def test_an_order_hears_few_of_the_requests_to_cancel_it() -> None:
    """Whoever asks under ever new keys gets a few answers, and the item stays small."""
    coordinator = Coordinator(inbox_capacity=2)
    coordinator.hear(PLACED)
    coordinator.answer("reserve_stock:1", RESERVED)
    coordinator.answer("capture_payment:1", CAPTURED)
    answers = [coordinator.hear(cancellation(str(number))) for number in range(30)]
    assert [len(each) for each in answers] == [1] * MAX_CANCELLATIONS + [0] * (30 - MAX_CANCELLATIONS)
    assert [coordinator.hear(cancellation(str(number))) for number in range(30)] == [[]] * 30
    assert coordinator.phase() is Phase.COMMITTED


def test_an_order_that_is_running_is_cancelled_however_many_requests_came_before_it() -> None:
    """Refusals of requests that came too early do not use up the customer's right."""
    coordinator = Coordinator()
    for number in range(MAX_CANCELLATIONS + 1):
        coordinator.hear(cancellation(str(number)))
    coordinator.hear(PLACED)
    coordinator.hear(cancellation("at last"))
    assert coordinator.phase() is Phase.COMPENSATING


@pytest.mark.parametrize("minutes", [-9, 0, 60])
def test_deadlines_count_from_a_time_that_all_hosts_share(minutes: int) -> None:
    """A host whose clock is behind does not call a deadline passed that has only just begun."""
    coordinator = Coordinator()
    coordinator.now = NOW + dt.timedelta(minutes=minutes)
    coordinator.hear(PLACED, arrival=NOW)
    saga = find_order(coordinator.store, ORDER)
    assert saga is not None
    begun = max(NOW, coordinator.now)
    assert {timer.due for timer in saga.timers()} == {begun + dt.timedelta(minutes=m) for m in (10, 20)}


def poll(coordinator: Coordinator, clock: dt.datetime, taken: dt.datetime) -> int:
    """A poller goes by its clock, Kinesis takes what it says at another time, and the saga hears it."""
    emitter = CollectingEmitter()
    TimerPoller(store=coordinator.store, emitter=emitter, clock=lambda: clock).poll_once()
    for data in emitter.emitted:
        coordinator.hear(decode_envelope(data), arrival=taken)
    return len(emitter.emitted)


def test_a_poller_eleven_minutes_ahead_turns_nothing_back(caplog: pytest.LogCaptureFixture) -> None:
    """Its events come before their time by the stream's clock: the order goes on, and the timer with it."""
    coordinator = Coordinator()
    coordinator.hear(PLACED)
    ahead = NOW + dt.timedelta(minutes=11)
    with caplog.at_level(logging.WARNING):
        assert poll(coordinator, ahead, taken=NOW + dt.timedelta(seconds=1)) == 1
    assert "clocks" in caplog.text
    assert coordinator.phase() is Phase.RUNNING
    assert coordinator.timers() == {("reserve_stock", 1), ("capture_payment", 1)}
    assert coordinator.answer("reserve_stock:1", RESERVED) == []


def test_a_deadline_that_was_called_too_early_is_called_again_in_time() -> None:
    """However often a wrong clock calls it: once it has passed by the stream's clock, it counts."""
    coordinator = Coordinator(inbox_capacity=1)
    coordinator.hear(PLACED)
    for second in range(30):
        poll(coordinator, NOW + dt.timedelta(minutes=11), taken=NOW + dt.timedelta(seconds=second))
    assert coordinator.phase() is Phase.RUNNING
    passed = NOW + dt.timedelta(minutes=13)
    assert poll(coordinator, passed, taken=passed) >= 1
    assert coordinator.phase() is Phase.COMPENSATING


def test_a_wrong_clock_does_not_flood_the_stream() -> None:
    """Each early call moves the row on by half a minute, so a wrong clock makes few events."""
    coordinator = Coordinator()
    coordinator.hear(PLACED)
    calls = sum(
        poll(coordinator, NOW + dt.timedelta(minutes=11, seconds=second), taken=NOW) for second in range(60)
    )
    assert 1 <= calls <= 5


def test_a_request_that_a_crash_held_back_has_its_whole_time_from_when_it_goes_out() -> None:
    """A crash between commit and emission, and eleven minutes: it is seen only now, and may take ten.

    The deadline's event stands in the stream before the request does, and turns nothing back.
    """
    coordinator = Coordinator(inbox_capacity=1)
    with pytest.raises(DependencyError):
        coordinator.hear_while_the_stream_is_away(PLACED, 1)
    emitter = CollectingEmitter()
    coordinator.now += dt.timedelta(minutes=11)
    TimerPoller(store=coordinator.store, emitter=emitter, clock=lambda: coordinator.now).poll_once()
    (late,) = map(decode_envelope, emitter.emitted)
    assert [request.correlation_id for request in coordinator.hear(PLACED, 1)] == [
        "reserve_stock:1",
        "capture_payment:1",
    ]
    assert coordinator.hear(late, 2, arrival=coordinator.now) == []
    assert coordinator.phase() is Phase.RUNNING
    assert coordinator.timers() == {("reserve_stock", 1), ("capture_payment", 1)}
    sent = coordinator.now
    assert poll(coordinator, *[sent + dt.timedelta(minutes=10)] * 2) == 0
    assert poll(coordinator, *[sent + dt.timedelta(minutes=11)] * 2) == 1
    assert coordinator.phase() is Phase.COMPENSATING


def test_a_request_that_goes_out_again_moves_no_answered_step() -> None:
    """Only deadlines that run are moved, and only later: what was answered or asked again meanwhile stays."""
    coordinator = Coordinator()
    coordinator.hear(PLACED, 1)
    coordinator.answer("capture_payment:1", CAPTURED)
    coordinator.now += dt.timedelta(minutes=1)
    coordinator.hear(PLACED, 1)
    saga = find_order(coordinator.store, ORDER)
    assert saga is not None
    assert {timer.step: timer.due for timer in saga.timers()} == {
        "reserve_stock": NOW + dt.timedelta(minutes=11)
    }
    coordinator.now -= dt.timedelta(minutes=1)
    coordinator.hear(PLACED, 1)
    assert find_order(coordinator.store, ORDER) == saga
    coordinator.answer("reserve_stock:1", REJECTED)
    compensating = find_order(coordinator.store, ORDER)
    coordinator.now += dt.timedelta(hours=1)
    coordinator.hear(PLACED, 1)
    assert find_order(coordinator.store, ORDER) == compensating


def test_a_stream_that_is_away_for_an_hour_makes_no_deadline_later_than_its_time() -> None:
    """However often the emission is tried, the poller calls the deadline ten minutes after the last one."""
    coordinator = Coordinator()
    for minute in range(60):
        coordinator.now = NOW + dt.timedelta(minutes=minute)
        with pytest.raises(DependencyError):
            coordinator.hear_while_the_stream_is_away(PLACED, 1)
    saga = find_order(coordinator.store, ORDER)
    assert saga is not None
    assert {timer.due - coordinator.now for timer in saga.timers()} == {
        dt.timedelta(minutes=m) for m in (10, 20)
    }
