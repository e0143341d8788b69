"""The two families of the flow's messages: those about one order, and those about the stock of one SKU."""

from typing import ClassVar

from orderstream.messages import REGISTRY, Envelope, Message
from orderstream.messages import Command as AnyCommand
from orderstream.messages import Event as AnyEvent
from orderstream.messages import Reply as AnyReply


class OrderMessage(Message, frozen=True, kw_only=True):
    """A message about one order.

    Attributes:
        order_id: The order it is about; subject of the envelope and partition key of the record.
    """

    subject_field: ClassVar[str] = "order_id"

    order_id: str


class Event(OrderMessage, AnyEvent, frozen=True, kw_only=True):
    """Something that happened to an order, and that is no reply. Only its owner publishes it."""

    outside: ClassVar[bool] = False


class Reply(OrderMessage, AnyReply, frozen=True, kw_only=True):
    """What the owner of a command reports of it: success, or an expected error."""


class Command(OrderMessage, AnyCommand, frozen=True, kw_only=True):
    """Something one service is asked to do. Its owner replies, good or bad."""


class StockEvent(AnyEvent, frozen=True, kw_only=True):
    """Something that happened to the stock of one SKU, whatever order or person made it happen.

    Attributes:
        sku: The stock keeping unit it is about; subject of the envelope and partition key of the record.
    """

    subject_field: ClassVar[str] = "sku"

    sku: str


def order_of(envelope: Envelope) -> str | None:
    """The order that an envelope is about.

    Returns:
        Its id; None for an event about stock. A type that is not known counts as an order's.
    """
    kind = REGISTRY.type_of(envelope.type)
    return None if kind is not None and issubclass(kind, StockEvent) else envelope.subject
