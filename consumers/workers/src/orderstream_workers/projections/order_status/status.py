"""One order as the read model shows it, and what each message changes about it. Pure.

::

                  OrderConfirmed
              ┌───────────────────> CONFIRMED
    PLACED ───┤
              └───────────────────> CANCELLED
                  OrderCancelled

              ParcelHandedOver     ParcelDelivered       ParcelReturned
    parcel:  ──────────────> HANDED_OVER ──> DELIVERED ──> RETURNED

The first ending stays, whatever becomes of the parcel, which only moves on. Everything else is a fact that is
filled in when its message comes, in whatever order: a response may be read before the order that it is about.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

import msgspec

from orderstream.messages import Envelope, Message
from orderstream_orders.contracts import (
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderShipped,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
    PaymentCaptured,
    StockReserved,
)

State = Literal["PLACED", "CONFIRMED", "CANCELLED"]

ParcelState = Literal["HANDED_OVER", "DELIVERED", "RETURNED"]
"""Who has an order's parcel, in the order in which it moves on."""

_WAY: Final[Sequence[ParcelState]] = get_args(ParcelState)
_PARCELS: Final[Mapping[type[Message], ParcelState]] = {
    ParcelHandedOver: "HANDED_OVER",
    ParcelDelivered: "DELIVERED",
    ParcelReturned: "RETURNED",
}


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far an order is. It names no address: the history has what was said to whom.

    Attributes:
        order_id: The order.
        state: ``PLACED`` until it ends.
        state_reason: Why it was cancelled.
        customer_id: The shop's id of the customer; None for a guest.
        placed_by: The caller who placed it, as logs name it; None where that was not kept.
        total_minor: Its total, in minor units; None until its ``OrderPlaced`` is read.
        currency: ISO 4217 code; None until then.
        conversation_id: The conversation of all its messages.
        placed_at: When it was placed (UTC).
        reserved_at: When its stock was reserved (UTC), even if it was released later.
        paid_at: When the payment was captured (UTC), even if it was refunded later.
        shipped_at: When the shipment was recorded (UTC).
        ended_at: When it ended (UTC).
        parcel: Who has its parcel; None until it is handed over to the carrier.
        parcel_at: Since when (UTC).
    """

    order_id: str
    conversation_id: str
    state: State = "PLACED"
    state_reason: str | None = None
    customer_id: str | None = None
    placed_by: str | None = None
    total_minor: int | None = None
    currency: str | None = None
    placed_at: dt.datetime | None = None
    reserved_at: dt.datetime | None = None
    paid_at: dt.datetime | None = None
    shipped_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    parcel: ParcelState | None = None
    parcel_at: dt.datetime | None = None


def project(status: OrderStatus | None, envelope: Envelope, message: Message) -> OrderStatus:
    """What an order's status is after one more message.

    Args:
        status: What it was; None if nothing is known of the order.
        envelope: The message's envelope.
        message: The message.

    Returns:
        The new status; the same object where nothing changes.
    """
    if status is None:
        status = OrderStatus(order_id=envelope.subject, conversation_id=envelope.conversation_id)
    time = envelope.time.astimezone(dt.UTC)
    replace = msgspec.structs.replace
    match message:
        case OrderPlaced() if status.placed_at is None:
            return replace(
                status,
                placed_at=time,
                customer_id=message.customer.customer_id,
                placed_by=message.placed_by,
                total_minor=message.total_minor,
                currency=message.currency,
            )
        case StockReserved() if status.reserved_at is None:
            return replace(status, reserved_at=time)
        case PaymentCaptured() if status.paid_at is None:
            return replace(status, paid_at=time)
        case OrderShipped() if status.shipped_at is None:
            return replace(status, shipped_at=time)
        case OrderConfirmed() if status.state == "PLACED":
            return replace(status, state="CONFIRMED", ended_at=time)
        case OrderCancelled() if status.state == "PLACED":
            return replace(status, state="CANCELLED", state_reason=message.reason, ended_at=time)
        case ParcelHandedOver() | ParcelDelivered() | ParcelReturned():
            return _parcel_moved(status, _PARCELS[type(message)], time)
        case _:
            return status


def _parcel_moved(status: OrderStatus, parcel: ParcelState, time: dt.datetime) -> OrderStatus:
    if status.parcel is not None and _WAY.index(parcel) <= _WAY.index(status.parcel):
        return status
    return msgspec.structs.replace(status, parcel=parcel, parcel_at=time)
