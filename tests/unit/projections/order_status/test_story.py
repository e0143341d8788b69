"""Every message about an order has an effect in words."""

import datetime as dt

import msgspec
import pytest

from orderstream_orders.contracts import MESSAGE_TYPES, OrderMessage, StepResolved
from orderstream_workers.projections.order_status.read_model import HistoryEntry, OrderWithHistory
from orderstream_workers.projections.order_status.story import _EFFECTS, effect_of, render_story


@pytest.mark.parametrize("message_type", [kind for kind in MESSAGE_TYPES if issubclass(kind, OrderMessage)])
def test_every_message_is_told(message_type: type[OrderMessage]) -> None:
    """A new message type needs its words here, and they hold even where fields are missing."""
    assert _EFFECTS[message_type.type_name()]({})


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
    time = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    entry = HistoryEntry(
        order_id="o-1",
        event_id="e-1",
        type="StepResolved",
        source="operators",
        time=time,
        correlation_id=None,
        causation_id=None,
        shard_id="shardId-000000000000",
        sequence_number="1",
        subsequence_number=0,
        arrived_at=time,
        data=msgspec.json.encode(resolved).decode(),
    )
    order = OrderWithHistory(order_id="o-1", conversation_id="c-1", history=(entry,))
    assert "done, by ann: sent by courier" in render_story(order)
    assert "ann" not in effect_of(entry)
