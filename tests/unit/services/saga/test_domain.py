"""The coordinator's transitions, message by message."""

import datetime as dt

import pytest

from fakes.saga import (
    CANCELLATION,
    CAPTURE,
    CAPTURED,
    CONFIRMED,
    DEADLINES,
    DECLINED,
    FLOW,
    NOW,
    ORDER,
    PLACED,
    REFUND,
    REFUNDED,
    REJECTED,
    RELEASE,
    RELEASED,
    RESERVE,
    RESERVED,
    SHIP,
    SHIPPED,
    UNSERVED,
    after,
    cancelled,
    hear,
    line,
    overdue,
    said,
    statuses,
    too_late,
)
from orderstream.messages import Message
from orderstream_orders.contracts import CapturePayment, Customer, OrderPlaced, ReserveStock
from orderstream_workers.services.saga.domain import Ignored, Input, transition
from orderstream_workers.services.saga.state import Phase, Status, Timer

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
    # A compensation without a reply is asked for again, alone.
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
    """Duplicates and overtaken replies are normal; one that contradicts an earlier reply is worth a word."""
    outcome = transition(after(*story[:-1]), story[-1], NOW, DEADLINES, current=FLOW)
    assert isinstance(outcome, Ignored)
    assert outcome.expected is expected


def test_a_cancellation_of_an_unknown_order_is_refused() -> None:
    """Even a request that makes no sense ends in an event; it leaves no order behind."""
    outcome = hear(None, CANCELLATION)
    assert said(outcome) == [too_late("unknown_order")]
    assert outcome.saga is None


@pytest.mark.parametrize("message", [RESERVED, DECLINED, SHIPPED, REFUNDED, overdue("ship_order", 1)])
def test_a_reply_for_an_unknown_order_is_ignored_with_a_word(message: Input) -> None:
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
    """The correlation id of a request names its step and attempt, so no two of an order are alike."""
    first = hear(None, PLACED)
    turned = hear(first.saga, CANCELLATION)
    again = hear(turned.saga, overdue("reserve_stock", 2))
    correlation_ids = [
        [output.correlation_id for output in outcome.outputs] for outcome in (first, turned, again)
    ]
    assert correlation_ids == [
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


def test_a_reply_to_an_earlier_attempt_counts() -> None:
    """A step happens once per order, whichever of its requests is answered first."""
    saga = after(RESERVED, CAPTURED, overdue("ship_order", 1), overdue("ship_order", 2))
    assert saga.step("ship_order").attempt == 3
    assert said(hear(saga, SHIPPED)) == [CONFIRMED]


def test_each_request_has_one_timer_and_its_reply_clears_it() -> None:
    """Deadlines run from the request to the reply, and begin anew with each request."""
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
