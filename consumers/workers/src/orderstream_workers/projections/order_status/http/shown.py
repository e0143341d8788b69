"""What a caller is shown of an order over HTTP: in one response, or event by event."""

import datetime as dt

import msgspec

from orderstream_workers.projections.order_status.read_model import HistoryEntry, OrderPage
from orderstream_workers.projections.order_status.status import OrderStatus
from orderstream_workers.projections.order_status.story import effect_of


class ShownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of an order. Its data stays out: addresses are in it.

    Attributes:
        event_id: The message's id.
        type: Its type name.
        source: Who published it.
        time: When it was decided (UTC).
        arrived_at: When the stream took it (UTC).
        correlation_id: The sender's identifier of a request.
        causation_id: Id of the message that caused it.
        effect: What it means, in words.
    """

    event_id: str
    type: str
    source: str
    time: dt.datetime
    arrived_at: dt.datetime
    correlation_id: str | None
    causation_id: str | None
    effect: str


class ShownOrder(OrderStatus, frozen=True, kw_only=True):
    """An order, how far it is, and its messages.

    Attributes:
        history: In stream order, from the message behind ``after`` on.
        next: What to ask for as ``after`` to get more; null if this is the end.
    """

    history: tuple[ShownMessage, ...]
    next: str | None


class ShownOrders(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the caller's orders, the newest first.

    Attributes:
        orders: How far each is.
        next: What to ask for as ``after`` to get more; null if this is the end.
    """

    orders: tuple[OrderStatus, ...]
    next: str | None


def shown_message(entry: HistoryEntry) -> ShownMessage:
    """A message without its data."""
    return ShownMessage(
        event_id=entry.event_id,
        type=entry.type,
        source=entry.source,
        time=entry.time,
        arrived_at=entry.arrived_at,
        correlation_id=entry.correlation_id,
        causation_id=entry.causation_id,
        effect=effect_of(entry),
    )


def shown_order(page: OrderPage) -> ShownOrder:
    """An order with the messages of a page."""
    history = tuple(shown_message(entry) for entry in page.order.history)
    return ShownOrder(**msgspec.structs.asdict(page.order) | {"next": page.next, "history": history})
