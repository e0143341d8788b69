"""What each message changes about an order's status."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from fakes.order_history import AT, envelope_of, placed
from orderstream.messages import Message
from orderstream_orders.contracts import (
    Customer,
    OrderCancelled,
    OrderConfirmed,
    OrderShipped,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
    PaymentCaptured,
    ReserveStock,
    StockReleased,
    StockReserved,
)
from orderstream_workers.projections.order_status.status import OrderStatus, project

KNOWN = OrderStatus(order_id="order-1", conversation_id="c")
CONFIRMED = OrderConfirmed(order_id="order-1", customer=Customer(), total_minor=5, currency="GBP")
CANCELLED = OrderCancelled(order_id="order-1", customer=Customer(), reason="out_of_stock")


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (
            placed("order-1"),
            {"placed_at": AT, "customer_id": "17850", "total_minor": 250, "currency": "GBP"},
        ),
        (ReserveStock(order_id="order-1", lines=()), {}),
        (StockReserved(order_id="order-1"), {"reserved_at": AT}),
        (PaymentCaptured(order_id="order-1", amount_minor=5, currency="GBP", charge_id="c"), {"paid_at": AT}),
        (OrderShipped(order_id="order-1", shipment_id="s"), {"shipped_at": AT}),
        (StockReleased(order_id="order-1"), {}),
        (CONFIRMED, {"state": "CONFIRMED", "ended_at": AT}),
        (CANCELLED, {"state": "CANCELLED", "state_reason": "out_of_stock", "ended_at": AT}),
    ],
)
def test_a_message_fills_in_its_own_facts(message: Message, changes: dict[str, Any]) -> None:
    """Also where it is the first that is read of its order."""
    envelope = envelope_of(message, conversation_id="c")
    expected = msgspec.structs.replace(KNOWN, **changes)
    assert project(KNOWN, envelope, message) == expected == project(None, envelope, message)


@pytest.mark.parametrize(("first", "second"), [(CONFIRMED, CANCELLED), (CANCELLED, CONFIRMED)])
def test_the_first_ending_stays(first: Message, second: Message) -> None:
    """A terminal state absorbs; facts that come late are still filled in."""
    ended = project(None, envelope_of(first), first)
    later = envelope_of(second, time=AT + dt.timedelta(seconds=9))
    assert project(ended, later, second) is ended
    known = project(ended, envelope_of(placed("order-1")), placed("order-1"))
    assert (known.state, known.total_minor) == (ended.state, 250)


def test_no_address_is_kept() -> None:
    """The status knows the customer's id, and not where mail goes."""
    status = project(None, envelope_of(placed("order-1")), placed("order-1"))
    assert "@" not in str(status)


LEFT, THERE, BACK = (
    kind(order_id="order-1", shipment_id="s", customer=Customer())
    for kind in (ParcelHandedOver, ParcelDelivered, ParcelReturned)
)


@pytest.mark.parametrize("order", [(LEFT, THERE, BACK), (BACK, LEFT, THERE), (CONFIRMED, THERE, BACK, LEFT)])
def test_the_parcel_only_moves_on_and_the_order_stays_as_it_ended(order: tuple[Message, ...]) -> None:
    """A parcel that has come back is not with the carrier again, in whatever order the messages are read."""
    status = None
    for message in order:
        status = project(status, envelope_of(message), message)
    assert status is not None
    assert (status.parcel, status.parcel_at) == ("RETURNED", AT)
    assert status.state == ("CONFIRMED" if CONFIRMED in order else "PLACED")
