"""An operator's decisions about a step, and answers that contradict what was done."""

import pytest

from fakes.saga import (
    CANCELLATION,
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
    RELEASE,
    RELEASED,
    RESERVED,
    SHIPPED,
    UNSERVED,
    cancelled,
    hear,
    overdue,
    said,
)
from orderstream_orders.contracts import PaymentDeclined, RefuseShipment, StepResolved
from orderstream_workers.services.saga.domain import Ignored, Input, SagaOutcome, transition
from orderstream_workers.services.saga.state import Status


def resolved(step: str, attempt: int, decision: str) -> StepResolved:
    return StepResolved(
        order_id=ORDER,
        step=step,
        attempt=attempt,
        decision=decision,  # type: ignore[arg-type]
        operator="me",
        reason="I have seen it",
    )


def told(*messages: Input) -> SagaOutcome:
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
    """The pivot is done; a late reply of shipping changes nothing."""
    outcome = told(*SHIPPING_SILENT, resolved("ship_order", 2, "done"))
    assert said(outcome) == [CONFIRMED]
    assert isinstance(transition(outcome.saga, SHIPPED, NOW, DEADLINES, current=FLOW), Ignored)


def test_a_shipment_is_refused_by_shipping_alone() -> None:
    """The operator's refusal is only asked for; shipping's own reply decides, whichever it is."""
    asked = told(*SHIPPING_SILENT, resolved("ship_order", 2, "refuse"))
    assert said(asked) == [RefuseShipment(order_id=ORDER)]
    assert asked.outputs[0].correlation_id == "ship_order:3"
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
