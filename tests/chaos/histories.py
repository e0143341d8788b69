"""What must hold of the messages of a stream, whatever happened.

One id has one content, a cause stands before its effect, a reply belongs to a command, only what happens
outside the stream begins a conversation, and a refund stands before the cancellation.
Pure functions of the messages in the order of the stream; each gives a line for each thing that is wrong.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from chaos.streams import Message

OUTSIDE = frozenset(
    {"OrderPlaced", "OrderCancellationRequested", "ParcelScanned", "StepOverdue", "StepResolved"}
)
"""Events that begin a chain of causes: what people ask for, and timers. Their cause may be no message."""

ABOUT_STOCK = frozenset({"LowStockDetected", "StockReceived", "StockCorrected"})
"""Events that follow from a change of the stock, which is in another stream."""

REPLIES = {
    "inventory.ReserveStock": {"StockReserved", "StockRejected"},
    "inventory.ReleaseStock": {"StockReleased"},
    "payments.CapturePayment": {"PaymentCaptured", "PaymentDeclined"},
    "payments.RefundPayment": {"PaymentRefunded"},
    "shipping.ShipOrder": {"OrderShipped", "ShipmentRefused"},
    "shipping.RefuseShipment": {"OrderShipped", "ShipmentRefused"},
}
"""By command, its replies; written down again, because the contracts are what is judged."""

_REPLY_TYPES = {reply for replies in REPLIES.values() for reply in replies}

_UNDOES = "PaymentRefunded"
_CHARGED = "PaymentCaptured"
_CANCELLED = "OrderCancelled"


def history_violations(messages: Sequence[Message]) -> Iterator[str]:
    """Everything that is wrong with the messages of the orders' stream."""
    orders = [message for message in messages if message.envelope]
    yield from two_contents(orders)
    yield from effects_before_causes(orders)
    yield from misplaced(orders)
    yield from unpaid_refunds(orders)


def two_contents(messages: Sequence[Message]) -> Iterator[str]:
    """An id comes again with the same content, or not at all: consumers keep the first and drop the others.

    The trace is no content: a decision that is made again, because the inbox has forgotten it, is made in
    another span. The inbox's own digest leaves it out as well.
    """
    first: dict[tuple[str, str], Message] = {}
    for message in messages:
        known = first.setdefault(message.identity, message)
        if known.body != message.body and _content(known) != _content(message):
            yield f"contents: {message.said} is not what stands at {known.shard} {known.position}"


def _content(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.envelope.items() if name != "traceparent"}


def effects_before_causes(messages: Sequence[Message]) -> Iterator[str]:
    """The first occurrence of a cause stands before the first occurrence of its effect, on one key."""
    first = _firsts(messages)
    for message in first.values():
        cause = message.envelope.get("causationid")
        if cause is None:
            continue
        known = first.get(cause)
        if known is None:
            if message.envelope["type"] not in OUTSIDE and "LowStock" not in message.envelope["type"]:
                yield f"causes: {message.said} was caused by {cause}, which is not in the stream"
        elif known.envelope["subject"] == message.envelope["subject"] and known.position > message.position:
            yield f"causes: {message.said} stands before its cause at {known.shard} {known.position}"


def misplaced(messages: Sequence[Message]) -> Iterator[str]:
    """Commands and replies without a cause, and replies that are not their command's, or go elsewhere."""
    first = _firsts(messages)
    for message in first.values():
        told = message.envelope
        cause = told.get("causationid")
        if cause is None:
            if told["type"] not in OUTSIDE | ABOUT_STOCK:
                yield f"conversations: {message.said} has no cause"
        elif told["type"] in _REPLY_TYPES and cause in first:
            command = first[cause].envelope
            if told["type"] not in REPLIES.get(command["type"], ()):
                yield f"conversations: {message.said} is no reply to {command['type']} {cause}"
            elif told.get("correlationid") != command.get("correlationid"):
                yield f"conversations: {message.said} has not the correlation id of its command {cause}"
            elif told.get("recipient") != command.get("replyto"):
                yield f"conversations: {message.said} does not go where {cause} wanted it"


def unpaid_refunds(messages: Sequence[Message]) -> Iterator[str]:
    """Where a cancelled order was charged, the refund stands before the cancellation."""
    refunded: set[str] = set()
    cancelled_unrefunded: dict[str, Message] = {}
    charged: set[str] = set()
    for message in _firsts(messages).values():
        order, kind = message.envelope["subject"], message.envelope["type"]
        if kind == _CHARGED:
            charged.add(order)
        elif kind == _UNDOES:
            refunded.add(order)
        elif kind == _CANCELLED and order not in refunded:
            cancelled_unrefunded[order] = message
    for order, message in cancelled_unrefunded.items():
        if order in charged:
            yield f"refunds: {message.said} was charged, and no refund stands before its cancellation"


def _firsts(messages: Sequence[Message]) -> dict[str, Message]:
    """The first occurrence of each id, in the order of the stream."""
    first: dict[str, Message] = {}
    for message in messages:
        first.setdefault(message.envelope["id"], message)
    return first
