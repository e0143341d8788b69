"""What is committed and published for the coordinator's decisions."""

import datetime as dt
import logging
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from fakes.engine import record_of
from fakes.messages import envelope_of
from fakes.operating import MemoryResources
from fakes.saga_coordinator import (
    CAPTURED,
    NOW,
    ORDER,
    PLACED,
    REFUNDED,
    REJECTED,
    RESERVED,
    Coordinator,
)
from orderstream.messages import (
    REGISTRY,
    Envelope,
    IdentifierInvalidError,
    decode_envelope,
    derived_id,
)
from orderstream.observability.metrics import NoMeter
from orderstream.observability.tracing import NoTracer
from orderstream_consumer.delivery import DeliveryTally
from orderstream_consumer.idempotency import CollectingPublisher, MessageHandler
from orderstream_orders.contracts import (
    MESSAGE_TYPES,
    CapturePayment,
    Customer,
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    ShipOrder,
    StepOverdue,
    StockReleased,
)
from orderstream_workers.runtime.applications.saga import build
from orderstream_workers.services.saga import TABLES, open_orders
from orderstream_workers.services.saga.definition import CURRENT, Step
from orderstream_workers.services.saga.errors import UnaskedReplyError
from orderstream_workers.services.saga.handlers import MAX_CANCELLATIONS
from orderstream_workers.services.saga.state import Phase


@pytest.fixture
def coordinator() -> Coordinator:
    return Coordinator()


def test_commands_carry_the_saga_s_correlation_id_and_address(coordinator: Coordinator) -> None:
    """A request names its step and attempt, where its reply goes, and what caused it."""
    reserve, capture = coordinator.hear(PLACED)
    assert [reserve.type, capture.type] == ["inventory.ReserveStock", "payments.CapturePayment"]
    assert [reserve.correlation_id, capture.correlation_id] == ["reserve_stock:1", "capture_payment:1"]
    for index, command in enumerate((reserve, capture)):
        assert command.id == derived_id("saga", "placed", index)
        assert (command.source, command.reply_to) == ("saga", "saga")
        assert (command.conversation_id, command.causation_id) == ("placed", "placed")
        assert command.time == NOW


def test_a_whole_order_goes_through(coordinator: Coordinator) -> None:
    """From the first message to the confirmation, each reply leads to the next request."""
    coordinator.hear(PLACED)
    assert coordinator.reply("reserve_stock:1", RESERVED) == []
    (ship,) = coordinator.reply("capture_payment:1", CAPTURED)
    assert ship.message() == ShipOrder(
        order_id=ORDER, country="France", units=2, customer=Customer(customer_id="17850")
    )
    assert [saga.phase for saga in open_orders(coordinator.store)] == ["committed"]


def test_redelivery_publishes_the_same_bytes(coordinator: Coordinator) -> None:
    """After a crash the stored commands go out again, whatever the clock says by then."""
    coordinator.hear(PLACED, 7)
    coordinator.now += dt.timedelta(hours=1)
    coordinator.hear(PLACED, 7)
    first, second = coordinator.publisher.published[:2], coordinator.publisher.published[2:]
    assert second == first


def test_an_order_that_was_taken_before_the_rule_for_ids_is_heard_again(coordinator: Coordinator) -> None:
    """Its first message comes again after its effects, and its customer may cancel it: nothing is parked."""
    placed = envelope_of(
        msgspec.structs.replace(PLACED.message(), order_id="o\x01"), source="orders", event_id="p", time=NOW
    )
    handler = MessageHandler(coordinator.routes, is_known=coordinator.handlers.has_taken)
    with pytest.raises(IdentifierInvalidError):
        handler.handle(record_of("o", 1, placed.encode()))
    said = [envelope.encode() for envelope in coordinator.hear(placed, 1)]
    handler.handle(record_of("o", 1, placed.encode()))
    assert coordinator.publisher.published == said * 2
    cancelled = OrderCancellationRequested(order_id="o\x01")
    handler.handle(
        record_of("o", 2, envelope_of(cancelled, source="orders", event_id="c", time=NOW).encode())
    )
    undone = [decode_envelope(data).type for data in coordinator.publisher.published[len(said) * 2 :]]
    assert undone == ["inventory.ReleaseStock", "payments.RefundPayment"]


@pytest.mark.parametrize("order_id", ["", "o" * 2_049, "o-1", "o\x01"])
def test_what_was_never_placed_is_not_taken(coordinator: Coordinator, order_id: str) -> None:
    """Nor is the store asked for what can be no key: its refusal would be an outage without end."""
    assert not coordinator.handlers.has_taken(order_id)


def test_the_application_asks_the_coordinator_which_orders_it_has_taken() -> None:
    """By its own rows."""
    resources, given = MemoryResources(), dict[str, Any]()
    wired = SimpleNamespace(
        store=resources.store,
        publisher=CollectingPublisher(),
        deciding_clock=lambda: NOW,
        tally=DeliveryTally(),
        tracer=NoTracer(),
        meter=NoMeter(),
        region=None,
        tables=lambda *_: [],
        in_lanes=lambda *_, **more: given.update(more),
    )
    build(wired)  # type: ignore[arg-type]
    assert given["is_known"]("o-1") is False


def test_a_duplicate_elsewhere_in_the_stream_is_dropped(coordinator: Coordinator) -> None:
    """A producer's repetition does not cascade."""
    coordinator.hear(PLACED, 7)
    assert coordinator.hear(PLACED, 8) == []


def test_each_wait_has_a_row_until_it_is_answered(coordinator: Coordinator) -> None:
    """Timers are written and cleared together with the order."""
    coordinator.hear(PLACED)
    assert coordinator.timers() == {("reserve_stock", 1), ("capture_payment", 1)}
    coordinator.reply("capture_payment:1", CAPTURED)
    assert coordinator.timers() == {("reserve_stock", 1)}
    coordinator.reply("reserve_stock:1", REJECTED)
    assert coordinator.timers() == {("capture_payment", 2)}
    (cancelled,) = coordinator.reply("capture_payment:2", REFUNDED)
    assert cancelled.type == "OrderCancelled"
    assert coordinator.timers() == set()
    assert list(open_orders(coordinator.store)) == []


def test_a_request_made_again_is_a_new_message(
    coordinator: Coordinator, caplog: pytest.LogCaptureFixture
) -> None:
    """A repeated request must not be dropped as a duplicate of the first; operators hear of it."""
    coordinator.hear(PLACED)
    coordinator.reply("reserve_stock:1", RESERVED)
    (first,) = coordinator.reply("capture_payment:1", CAPTURED)
    late = envelope_of(
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


def test_a_step_that_is_overdue_is_logged_with_its_order(
    coordinator: Coordinator, caplog: pytest.LogCaptureFixture
) -> None:
    """Before the point of no return the order is cancelled: the log says of which step no reply came."""
    coordinator.hear(PLACED)
    late = envelope_of(
        StepOverdue(order_id=ORDER, step="capture_payment", attempt=1),
        source="saga",
        event_id="late",
        time=NOW + dt.timedelta(hours=10),
    )
    with caplog.at_level(logging.WARNING):
        coordinator.hear(late)
    (record,) = caplog.records
    assert record.getMessage() == "no reply came in time; the order is cancelled"
    said = vars(record)
    assert (said["order_id"], said["step"], said["attempt"]) == (ORDER, "capture_payment", 1)


def test_a_cancellation_of_an_unknown_order_is_answered_once(coordinator: Coordinator) -> None:
    """It is refused, the refusal is the same when it is redelivered, and the order may still be placed."""
    request = envelope_of(
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


def test_a_reply_without_an_order_is_refused(coordinator: Coordinator) -> None:
    """It is bad input, for a person, and leaves nothing behind."""
    stray = envelope_of(RESERVED, source="inventory", event_id="stray", time=NOW)
    with pytest.raises(UnaskedReplyError, match="no such order was placed") as caught:
        coordinator.hear(stray)
    assert not caught.value.retryable
    assert list(coordinator.store.scan("saga-orders")) == []


@pytest.mark.parametrize(
    ("correlation_id", "reason"),
    [
        ("reserve_stock:2", "no such command was sent"),
        ("reserve_stock:0", "no such command was sent"),
        ("reserve_stock", "no such command was sent"),
        ("ship_order:1", "no such command was sent"),
        ("gift_wrap:1", "no such command was sent"),
        ("capture_payment:1", "that command names no such reply"),
    ],
)
def test_a_reply_to_a_command_that_was_not_sent_is_refused(
    coordinator: Coordinator, correlation_id: str, reason: str
) -> None:
    """Or to one that does not name it: the order stays as it was, and goes on with the right reply."""
    coordinator.hear(PLACED)
    stray = envelope_of(
        RESERVED, source="inventory", event_id="stray", time=NOW, correlation_id=correlation_id
    )
    with pytest.raises(UnaskedReplyError, match=reason):
        coordinator.hear(stray)
    assert coordinator.timers() == {("reserve_stock", 1), ("capture_payment", 1)}
    coordinator.reply("reserve_stock:1", RESERVED)
    assert coordinator.timers() == {("capture_payment", 1)}


def test_a_late_reply_to_an_earlier_request_is_taken(coordinator: Coordinator) -> None:
    """The step was asked for again meanwhile, or is being undone: the reply is to a command that was sent."""
    coordinator.hear(PLACED)
    coordinator.reply("reserve_stock:1", REJECTED)
    assert coordinator.reply("capture_payment:1", CAPTURED) == []
    (cancelled,) = coordinator.reply("capture_payment:2", REFUNDED)
    assert cancelled.type == "OrderCancelled"


@pytest.mark.parametrize("step", list(CURRENT.steps()), ids=lambda step: step.name)
def test_a_step_waits_for_the_replies_that_its_commands_name(step: Step) -> None:
    """What the definition takes for success, refusal and undoing is what the contracts say."""
    assert (step.request.success, step.request.refusals) == ((step.done,), (step.refused,))
    undone = step.compensation.replies() if step.compensation else ()
    assert undone == ((step.undone,) if step.undone else ())


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
        envelope_of(OrderCancellationRequested(order_id=ORDER), source="orders", event_id=f"c-{n}", time=NOW)
        for n in range(2)
    ]
    coordinator.hear(requests[0])
    assert coordinator.hear(requests[1], 50) == []
    coordinator.reply("reserve_stock:2", StockReleased(order_id=ORDER))
    (ended,) = coordinator.reply("capture_payment:2", REFUNDED)
    assert ended.type == OrderCancelled.type_name()
    assert coordinator.hear(requests[1], 50) == []


def cancellation(key: str) -> Envelope:
    request = OrderCancellationRequested(order_id=ORDER)
    return envelope_of(request, source="orders", event_id=f"cancel {key}", time=NOW)


def test_a_refused_cancellation_is_never_answered_otherwise() -> None:
    """The order moves on and the inbox forgets; the same request again gets no second reply."""
    coordinator = Coordinator(inbox_capacity=1)
    (refused,) = coordinator.hear(cancellation("early"))
    assert refused.message().reason == "unknown_order"
    coordinator.hear(PLACED)
    assert coordinator.hear(cancellation("early")) == []
    assert coordinator.phase() is Phase.RUNNING, "what was refused does not cancel the order later"


def test_an_order_hears_few_of_the_requests_to_cancel_it() -> None:
    """Whoever asks under ever new keys gets a few replies, and the item stays small."""
    coordinator = Coordinator(inbox_capacity=2)
    coordinator.hear(PLACED)
    coordinator.reply("reserve_stock:1", RESERVED)
    coordinator.reply("capture_payment:1", CAPTURED)
    replies = [coordinator.hear(cancellation(str(number))) for number in range(30)]
    assert [len(each) for each in replies] == [1] * MAX_CANCELLATIONS + [0] * (30 - MAX_CANCELLATIONS)
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
