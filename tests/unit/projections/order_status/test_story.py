"""Every message about an order has an effect in words."""

import datetime as dt

import msgspec
import pytest

from orderstream_orders.contracts import (
    MESSAGE_TYPES,
    Customer,
    OrderCancelled,
    OrderMessage,
    ShipOrder,
    StepOverdue,
    StepResolved,
)
from orderstream_workers.projections.order_status.read_model import HistoryEntry, OrderWithHistory
from orderstream_workers.projections.order_status.story import _EFFECTS, effect_of, render_story

TIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("message_type", [kind for kind in MESSAGE_TYPES if issubclass(kind, OrderMessage)])
def test_every_message_is_told(message_type: type[OrderMessage]) -> None:
    """A new message type needs its words here, and they hold even where fields are missing."""
    assert _EFFECTS[message_type.type_name()]({})


def entry_of(message: OrderMessage, source: str, correlation_id: str | None = None) -> HistoryEntry:
    return HistoryEntry(
        order_id="o-1",
        event_id="e-1",
        type=message.type_name(),
        source=source,
        time=TIME,
        correlation_id=correlation_id,
        causation_id=None,
        shard_id="shardId-000000000000",
        sequence_number="1",
        subsequence_number=0,
        arrived_at=TIME,
        data=msgspec.json.encode(message).decode(),
    )


def test_what_is_asked_for_again_is_no_duplicate() -> None:
    """Requests count by step; the cancellation names the step that was late, and each deadline its own."""
    history = [
        entry_of(StepOverdue(order_id="o-1", step="ship_order", attempt=1), "saga", "ship_order:1"),
        entry_of(ShipOrder(order_id="o-1", country="France", units=2), "saga", "ship_order:1"),
        entry_of(ShipOrder(order_id="o-1", country="France", units=2), "saga", "ship_order:2"),
        entry_of(StepOverdue(order_id="o-1", step="reserve_stock", attempt=1), "saga", "reserve_stock:1"),
        entry_of(
            OrderCancelled(
                order_id="o-1", customer=Customer(), reason="step_overdue", failed_step="reserve_stock"
            ),
            "saga",
        ),
    ]
    _, *lines = render_story(
        OrderWithHistory(order_id="o-1", conversation_id="c-1", history=tuple(history))
    ).splitlines()
    assert ["(time 2)" in line for line in lines] == [False, False, True, False, False]
    assert lines[0].endswith("nobody replied to ship_order by its deadline; it may still be done")
    assert lines[-1].endswith("every step undone: step_overdue (reserve_stock)")


def test_a_decision_is_told_to_operators_with_its_operator_and_reason() -> None:
    """Who decided, and why, stands in the story, and nowhere that a customer looks."""
    resolved = StepResolved(
        order_id="o-1",
        step="ship_order",
        attempt=2,
        decision="done",
        operator="ann",
        reason="sent by courier",
    )
    entry = entry_of(resolved, "operators")
    order = OrderWithHistory(order_id="o-1", conversation_id="c-1", history=(entry,))
    assert "done, by ann: sent by courier" in render_story(order)
    assert "ann" not in effect_of(entry)
