"""The coordinator's transitions, message by message."""

import datetime as dt

import pytest

from orderstream.events import (
    CapturePayment,
    Customer,
    Message,
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
    RefuseShipment,
    ReleaseStock,
    ReserveStock,
    ShipmentRefused,
    ShipOrder,
    StepOverdue,
    StepResolved,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
)
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.definition import definition_of
from orderstream_workers.services.saga.domain import Ignored, Input, Outcome, transition
from orderstream_workers.services.saga.state import Phase, Saga, Status, Timer

FLOW = definition_of(1)
"""The flow that these tests tell of, whichever new orders follow."""

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
DEADLINES = SagaDeadlines()
ORDER = "o-1"
CUSTOMER = Customer(customer_id="17850", email="customer-17850@example.com")


def line(sku: str, quantity: int, *, service: bool = False) -> OrderLine:
    return OrderLine(
        sku=sku, quantity=quantity, unit_price="1.00", total_minor=100 * quantity, service=service
    )


PLACED = OrderPlaced(
    order_id=ORDER,
    customer=CUSTOMER,
    country="United Kingdom",
    lines=(line("B", 1), line("A", 2), line("B", 3), line("POST", 1, service=True)),
    total_minor=700,
    currency="GBP",
)
RESERVED = StockReserved(order_id=ORDER)
REJECTED = StockRejected(order_id=ORDER, reason="out_of_stock", sku="A")
RELEASED = StockReleased(order_id=ORDER)
CAPTURED = PaymentCaptured(order_id=ORDER, amount_minor=700, currency="GBP", charge_id="ch_1")
DECLINED = PaymentDeclined(order_id=ORDER, reason="card_declined")
REFUNDED = PaymentRefunded(order_id=ORDER, amount_minor=700, currency="GBP", refund_id="re_1")
SHIPPED = OrderShipped(order_id=ORDER, shipment_id="sh_1")
UNSERVED = ShipmentRefused(order_id=ORDER, reason="destination_not_served")
CANCELLATION = OrderCancellationRequested(order_id=ORDER)

RESERVE = ReserveStock(order_id=ORDER, lines=(StockLine(sku="A", quantity=2), StockLine(sku="B", quantity=4)))
CAPTURE = CapturePayment(
    order_id=ORDER, amount_minor=700, currency="GBP", not_after=NOW + dt.timedelta(minutes=15)
)
SHIP = ShipOrder(order_id=ORDER, country="United Kingdom", units=6)
RELEASE = ReleaseStock(order_id=ORDER)
REFUND = RefundPayment(order_id=ORDER)
CONFIRMED = OrderConfirmed(order_id=ORDER, customer=CUSTOMER, total_minor=700, currency="GBP")


def overdue(step: str, attempt: int) -> StepOverdue:
    return StepOverdue(order_id=ORDER, step=step, attempt=attempt)


def cancelled(reason: str, step: str | None = None) -> OrderCancelled:
    return OrderCancelled(order_id=ORDER, customer=CUSTOMER, reason=reason, failed_step=step)


def too_late(reason: str) -> OrderCancellationRefused:
    return OrderCancellationRefused(order_id=ORDER, reason=reason)


def hear(saga: Saga | None, message: Input, now: dt.datetime = NOW) -> Outcome:
    outcome = transition(saga, message, now, DEADLINES, current=FLOW)
    assert isinstance(outcome, Outcome)
    return outcome


def after(*messages: Input) -> Saga:
    saga = None
    for message in (PLACED, *messages):
        saga = hear(saga, message).saga
    assert saga is not None
    return saga


def said(outcome: Outcome) -> list[Message]:
    return [output.message for output in outcome.outputs]


def statuses(saga: Saga | None) -> dict[str, Status]:
    assert saga is not None
    return {name: progress.status for name, progress in saga.steps.items()}


EVERY_STORY: list[tuple[tuple[Input, ...], list[Message], Phase]] = [
    ((), [RESERVE, CAPTURE], Phase.RUNNING),
    ((RESERVED,), [], Phase.RUNNING),
    ((RESERVED, CAPTURED), [SHIP], Phase.COMMITTED),
    ((CAPTURED, RESERVED), [SHIP], Phase.COMMITTED),
    ((RESERVED, CAPTURED, SHIPPED), [CONFIRMED], Phase.CONFIRMED),
    # A refusal turns back: what was requested is undone, known to be done or not.
    ((REJECTED,), [REFUND], Phase.COMPENSATING),
    ((CAPTURED, REJECTED), [REFUND], Phase.COMPENSATING),
    ((DECLINED,), [RELEASE], Phase.COMPENSATING),
    ((REJECTED, REFUNDED), [cancelled("out_of_stock", "reserve_stock")], Phase.CANCELLED),
    ((REJECTED, DECLINED), [cancelled("out_of_stock", "reserve_stock")], Phase.CANCELLED),
    ((DECLINED, RELEASED), [cancelled("card_declined", "capture_payment")], Phase.CANCELLED),
    ((DECLINED, REJECTED), [cancelled("card_declined", "capture_payment")], Phase.CANCELLED),
    # Silence before the pivot turns back.
    ((overdue("reserve_stock", 1),), [RELEASE, REFUND], Phase.COMPENSATING),
    ((RESERVED, overdue("capture_payment", 1)), [RELEASE, REFUND], Phase.COMPENSATING),
    ((overdue("capture_payment", 1), RELEASED), [], Phase.COMPENSATING),
    (
        (overdue("capture_payment", 1), RELEASED, REFUNDED),
        [cancelled("step_overdue", "capture_payment")],
        Phase.CANCELLED,
    ),
    # The customer may turn back until the pivot is asked for.
    ((CANCELLATION,), [RELEASE, REFUND], Phase.COMPENSATING),
    ((CANCELLATION, CANCELLATION), [], Phase.COMPENSATING),
    ((RESERVED, CANCELLATION), [RELEASE, REFUND], Phase.COMPENSATING),
    ((CANCELLATION, REFUNDED, RELEASED), [cancelled("customer_request")], Phase.CANCELLED),
    ((RESERVED, CAPTURED, CANCELLATION), [too_late("shipping_requested")], Phase.COMMITTED),
    ((RESERVED, CAPTURED, SHIPPED, CANCELLATION), [too_late("already_confirmed")], Phase.CONFIRMED),
    ((REJECTED, REFUNDED, CANCELLATION), [too_late("already_cancelled")], Phase.CANCELLED),
    # After the pivot only a definite refusal turns back; silence asks again.
    ((RESERVED, CAPTURED, overdue("ship_order", 1)), [SHIP], Phase.COMMITTED),
    ((RESERVED, CAPTURED, overdue("ship_order", 1), SHIPPED), [CONFIRMED], Phase.CONFIRMED),
    ((RESERVED, CAPTURED, UNSERVED), [RELEASE, REFUND], Phase.COMPENSATING),
    (
        (RESERVED, CAPTURED, UNSERVED, RELEASED, REFUNDED),
        [cancelled("destination_not_served", "ship_order")],
        Phase.CANCELLED,
    ),
    # A compensation without an answer is asked for again, alone.
    ((REJECTED, overdue("capture_payment", 2)), [REFUND], Phase.COMPENSATING),
    ((CANCELLATION, RELEASED, overdue("capture_payment", 2)), [REFUND], Phase.COMPENSATING),
]


@pytest.mark.parametrize(("story", "expected", "phase"), EVERY_STORY)
def test_every_story_goes_on_as_the_flow_says(
    story: tuple[Input, ...], expected: list[Message], phase: Phase
) -> None:
    """What the last message of a story makes the coordinator say, and where the order stands then."""
    outcome = hear(after(*story[:-1]) if story else None, story[-1] if story else PLACED)
    assert said(outcome) == expected
    assert outcome.saga is not None
    assert outcome.saga.phase is phase


IGNORED: list[tuple[tuple[Input, ...], bool]] = [
    ((RESERVED, RESERVED), True),
    ((CANCELLATION, RESERVED, RESERVED), True),
    ((CANCELLATION, RELEASED, RESERVED), True),
    ((CANCELLATION, RELEASED, REJECTED), True),
    ((REJECTED, RELEASED), True),
    ((REJECTED, REJECTED), True),
    ((RESERVED, overdue("reserve_stock", 1)), True),
    ((CANCELLATION, overdue("reserve_stock", 1)), True),
    ((RESERVED, CAPTURED, overdue("ship_order", 1), overdue("ship_order", 1)), True),
    ((overdue("no_such_step", 1),), True),
    ((RESERVED, CAPTURED, SHIPPED, SHIPPED), True),
    ((RESERVED, CAPTURED, SHIPPED, overdue("ship_order", 1)), True),
    ((REJECTED, REFUNDED, CAPTURED), True),
    ((PLACED,), False),
    ((SHIPPED,), False),
    ((RELEASED,), False),
    ((RESERVED, REJECTED), False),
    ((RESERVED, RELEASED), False),
    ((REJECTED, RESERVED), False),
    ((RESERVED, CAPTURED, SHIPPED, RELEASED), False),
    ((RESERVED, CAPTURED, SHIPPED, UNSERVED), False),
    ((RESERVED, CAPTURED, UNSERVED, SHIPPED), False),
]


@pytest.mark.parametrize(("story", "expected"), IGNORED)
def test_what_is_late_or_repeated_changes_nothing(story: tuple[Input, ...], expected: bool) -> None:
    """Duplicates and overtaken answers are normal; one that contradicts an earlier answer is worth a word."""
    outcome = transition(after(*story[:-1]), story[-1], NOW, DEADLINES, current=FLOW)
    assert isinstance(outcome, Ignored)
    assert outcome.expected is expected


def test_a_cancellation_of_an_unknown_order_is_refused() -> None:
    """Even a request that makes no sense ends in an event; it leaves no order behind."""
    outcome = hear(None, CANCELLATION)
    assert said(outcome) == [too_late("unknown_order")]
    assert outcome.saga is None


@pytest.mark.parametrize("message", [RESERVED, DECLINED, SHIPPED, REFUNDED, overdue("ship_order", 1)])
def test_an_answer_for_an_unknown_order_is_ignored_with_a_word(message: Input) -> None:
    """Nothing can be decided about an order that was never placed."""
    outcome = transition(None, message, NOW, DEADLINES, current=FLOW)
    assert isinstance(outcome, Ignored)
    assert not outcome.expected


def test_a_late_success_waits_for_its_compensation() -> None:
    """While a step is being undone, its success is no end, but it is kept in mind: it rules a refusal out."""
    noted = hear(after(CANCELLATION, RELEASED), CAPTURED)
    saga = noted.saga
    assert noted.outputs == ()
    assert isinstance(transition(saga, CAPTURED, NOW, DEADLINES, current=FLOW), Ignored)
    assert said(hear(saga, REFUNDED)) == [cancelled("customer_request")]


def test_the_first_cause_is_the_reason() -> None:
    """Whatever follows from the first failure does not change why the order was cancelled."""
    saga = after(DECLINED)
    assert said(hear(saga, REJECTED)) == [cancelled("card_declined", "capture_payment")]


def test_requests_are_numbered_over_step_and_compensation() -> None:
    """The mark of a request names its step and its attempt, so that no two of an order are alike."""
    first = hear(None, PLACED)
    turned = hear(first.saga, CANCELLATION)
    again = hear(turned.saga, overdue("reserve_stock", 2))
    marks = [[output.mark for output in outcome.outputs] for outcome in (first, turned, again)]
    assert marks == [
        ["reserve_stock:1", "capture_payment:1"],
        ["reserve_stock:2", "capture_payment:2"],
        ["reserve_stock:3"],
    ]


def test_asking_again_alerts_and_nothing_else_does() -> None:
    """Operators hear of a request that went out again; turning back for silence is business as usual."""
    committed, compensating = after(RESERVED, CAPTURED), after(CANCELLATION)
    assert hear(committed, overdue("ship_order", 1)).alert
    assert hear(compensating, overdue("reserve_stock", 2)).alert
    assert not hear(after(), overdue("reserve_stock", 1)).alert
    assert not hear(committed, SHIPPED).alert


def test_an_answer_to_an_earlier_attempt_counts() -> None:
    """A step happens once per order, whichever of its requests is answered first."""
    saga = after(RESERVED, CAPTURED, overdue("ship_order", 1), overdue("ship_order", 2))
    assert saga.step("ship_order").attempt == 3
    assert said(hear(saga, SHIPPED)) == [CONFIRMED]


def test_each_request_has_one_timer_and_its_answer_clears_it() -> None:
    """Deadlines run from the request to the answer, and begin anew with each request."""
    minute = dt.timedelta(minutes=1)
    placed = after()
    assert set(placed.timers()) == {
        Timer("reserve_stock", 1, NOW + 10 * minute),
        Timer("capture_payment", 1, NOW + 20 * minute),
    }
    reserved = hear(placed, RESERVED).saga
    assert reserved is not None
    assert set(reserved.timers()) == {Timer("capture_payment", 1, NOW + 20 * minute)}
    turned = hear(reserved, CANCELLATION, NOW + minute).saga
    assert turned is not None
    assert set(turned.timers()) == {
        Timer("reserve_stock", 2, NOW + 11 * minute),
        Timer("capture_payment", 2, NOW + 11 * minute),
    }
    assert not set(after(RESERVED, CAPTURED, SHIPPED).timers())
    assert not set(after(REJECTED, DECLINED).timers())


def test_lines_are_not_kept_once_they_are_passed_on() -> None:
    """Stock is asked for once: an order of hundreds of lines weighs no more than a small one afterwards."""
    assert after().order.lines == ()
    assert after().order.units == 6


def test_an_order_of_services_only_reserves_nothing_and_is_charged() -> None:
    """Postage and the like are not in stock; the flow is the same."""
    placed = OrderPlaced(
        order_id=ORDER,
        customer=Customer(),
        country=None,
        lines=(line("POST", 1, service=True),),
        total_minor=100,
        currency="GBP",
    )
    reserve, capture = said(hear(None, placed))
    assert reserve == ReserveStock(order_id=ORDER, lines=())
    assert isinstance(capture, CapturePayment)
    assert capture.amount_minor == 100


def test_a_refused_step_is_not_undone() -> None:
    """A refusal is as final as a compensation: nothing is sent after it, the status says what happened."""
    assert statuses(after(REJECTED)) == {
        "reserve_stock": Status.REFUSED,
        "capture_payment": Status.CANCELLING,
    }


def resolved(step: str, attempt: int, decision: str) -> StepResolved:
    return StepResolved(
        order_id=ORDER,
        step=step,
        attempt=attempt,
        decision=decision,  # type: ignore[arg-type]
        operator="me",
        reason="I have seen it",
    )


def told(*messages: Input) -> Outcome:
    """The outcome of the last of these."""
    saga, outcome = None, None
    for message in messages:
        outcome = hear(saga, message)
        saga = outcome.saga
    assert outcome is not None
    return outcome


SHIPPING_SILENT = (PLACED, RESERVED, CAPTURED, overdue("ship_order", 1))
REFUND_SILENT = (PLACED, RESERVED, DECLINED, overdue("reserve_stock", 2))


def test_what_an_operator_shipped_by_hand_confirms_the_order() -> None:
    """The pivot is done; a late answer of shipping changes nothing."""
    outcome = told(*SHIPPING_SILENT, resolved("ship_order", 2, "done"))
    assert said(outcome) == [CONFIRMED]
    assert isinstance(transition(outcome.saga, SHIPPED, NOW, DEADLINES, current=FLOW), Ignored)


def test_a_shipment_is_refused_by_shipping_alone() -> None:
    """The operator's refusal is only asked for; shipping's own answer decides, whichever it is."""
    asked = told(*SHIPPING_SILENT, resolved("ship_order", 2, "refuse"))
    assert said(asked) == [RefuseShipment(order_id=ORDER)]
    assert asked.outputs[0].mark == "ship_order:3"
    assert said(hear(asked.saga, SHIPPED)) == [CONFIRMED]
    assert said(hear(asked.saga, UNSERVED)) == [RELEASE, REFUND]


def test_what_an_operator_undid_by_hand_lets_the_order_end() -> None:
    """A compensation that nobody answers for is done; the order is cancelled for its first reason."""
    outcome = told(*REFUND_SILENT, resolved("reserve_stock", 3, "done"))
    assert said(outcome) == [cancelled("card_declined", "capture_payment")]


@pytest.mark.parametrize(
    ("story", "decision"),
    [
        ((PLACED,), resolved("reserve_stock", 1, "done")),
        ((PLACED, RESERVED, CAPTURED), resolved("ship_order", 1, "refuse")),
        (SHIPPING_SILENT, resolved("ship_order", 1, "done")),
        (SHIPPING_SILENT, resolved("capture_payment", 1, "done")),
        (SHIPPING_SILENT, resolved("no_such_step", 1, "done")),
        (REFUND_SILENT, resolved("reserve_stock", 3, "refuse")),
        ((*REFUND_SILENT, RELEASED), resolved("reserve_stock", 3, "done")),
        ((*SHIPPING_SILENT, SHIPPED), resolved("ship_order", 2, "refuse")),
    ],
)
def test_a_decision_counts_only_where_a_person_is_waited_for(
    story: tuple[Input, ...], decision: StepResolved
) -> None:
    """Too early, about an earlier request, about another step, not on offer, or after the end."""
    assert isinstance(transition(told(*story).saga, decision, NOW, DEADLINES, current=FLOW), Ignored)


@pytest.mark.parametrize("late", [False, True])
def test_what_was_done_is_never_believed_to_have_been_refused(late: bool) -> None:
    """Captured, before or after the refund was asked for: a decline afterwards leaves the money to return."""
    saga = hear(None, PLACED).saga
    if late:
        saga = hear(saga, CANCELLATION).saga
        saga = hear(saga, CAPTURED).saga
    else:
        saga = hear(saga, CAPTURED).saga
        saga = hear(saga, CANCELLATION).saga
    ignored = transition(
        saga, PaymentDeclined(order_id=ORDER, reason="refunded"), NOW, DEADLINES, current=FLOW
    )
    assert ignored == Ignored("its owner has said that it was done", expected=False)
    assert saga is not None
    assert saga.step("capture_payment").status is Status.CANCELLING
    saga = hear(saga, RELEASED).saga
    assert hear(saga, REFUNDED).outputs[0].message == cancelled("customer_request")
