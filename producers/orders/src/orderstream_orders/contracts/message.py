"""The two families of the flow's messages: those about one order, and those about the stock of one SKU."""

from typing import ClassVar, Literal

from orderstream.messages import REGISTRY, Envelope, Message


class OrderMessage(Message, frozen=True, kw_only=True):
    """A message about one order.

    Attributes:
        order_id: The order it is about; subject of the envelope and partition key of the record.
    """

    subject_field: ClassVar[str] = "order_id"

    order_id: str


class Event(OrderMessage, frozen=True, kw_only=True):
    """Something that happened to an order. Only its owner publishes it."""

    kind: ClassVar[Literal["event", "command"]] = "event"


class Command(OrderMessage, frozen=True, kw_only=True):
    """Something one service is asked to do. Its owner replies with an event, good or bad."""

    kind: ClassVar[Literal["event", "command"]] = "command"


class StockEvent(Message, frozen=True, kw_only=True):
    """Something that happened to the stock of one SKU, whatever order or person made it happen.

    Attributes:
        sku: The stock keeping unit it is about; subject of the envelope and partition key of the record.
    """

    kind: ClassVar[Literal["event", "command"]] = "event"
    subject_field: ClassVar[str] = "sku"

    sku: str


def order_of(envelope: Envelope) -> str | None:
    """The order that an envelope is about.

    Returns:
        Its id; None for an event about stock. A type that is not known counts as an order's.
    """
    kind = REGISTRY.type_of(envelope.type)
    return None if kind is not None and issubclass(kind, StockEvent) else envelope.subject
