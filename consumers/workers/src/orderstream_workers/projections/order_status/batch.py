"""A batch of records read: messages for the history, and unreadable records. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from orderstream.errors import OrderstreamError
from orderstream.messages import Envelope, Message, NotAnEventError, UnknownMessageTypeError, decode_envelope
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_orders.contracts import OrderPlaced, order_of

_LARGEST_INTEGER = 2**63 - 1

_LONGEST_KEY = 1_024
"""Bytes of an id: PostgreSQL takes 2,704 of an index's entry, and an entry of the history has two ids."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record that is a message about an order.

    Attributes:
        record: The record.
        envelope: Its envelope.
        message: Its message; None if its type is unknown here: it is history, and changes nothing.
        data: The message as JSON text.
    """

    record: DeliveredRecord
    envelope: Envelope
    message: Message | None
    data: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no message we can read.

    Attributes:
        record: The record.
        reason: Why not.
    """

    record: DeliveredRecord
    reason: str


def read_batch(records: Sequence[DeliveredRecord]) -> tuple[list[Arrival], list[Unreadable]]:
    """Decode a batch, in its order. Messages that are about no order, such as low stock, are left out."""
    arrivals: list[Arrival] = []
    unreadable: list[Unreadable] = []
    for record in records:
        try:
            arrival = _arrival(record)
        except OrderstreamError as error:
            unreadable.append(Unreadable(record, str(error)))
        else:
            if order_of(arrival.envelope) is not None:
                arrivals.append(arrival)
    return arrivals, unreadable


def _arrival(record: DeliveredRecord) -> Arrival:
    envelope = decode_envelope(record.data)
    try:
        message = envelope.message()
    except UnknownMessageTypeError:
        message = None
    try:
        data = bytes(envelope.data).decode()
    except UnicodeDecodeError as error:
        raise NotAnEventError(f"its data is no UTF-8: {error.reason}") from error
    _check_storable(envelope, message, data)
    return Arrival(record, envelope, message, data)


def _check_storable(envelope: Envelope, message: Message | None, data: str) -> None:
    """Refuse what a column could not hold: one such record would stop its shard forever."""
    if envelope.time.tzinfo is None:
        raise NotAnEventError("its time has no zone")
    try:
        envelope.time.astimezone(dt.UTC)
    except OverflowError as error:
        raise NotAnEventError("its time is out of range in UTC") from error
    if any(len(key.encode()) > _LONGEST_KEY for key in (envelope.id, envelope.subject)):
        raise NotAnEventError(f"its id, or that of its order, is longer than {_LONGEST_KEY} bytes")
    texts = [
        envelope.id,
        envelope.subject,
        envelope.type,
        envelope.source,
        envelope.conversation_id,
        envelope.correlation_id or "",
        envelope.causation_id or "",
        getattr(message, "reason", None) or "",
        data,
    ]
    if isinstance(message, OrderPlaced):
        texts += [message.customer.customer_id or "", message.currency]
        if not 0 <= message.total_minor <= _LARGEST_INTEGER:
            raise NotAnEventError("its total does not fit into 64 bits")
    if any("\0" in text for text in texts):
        raise NotAnEventError("an attribute holds a NUL character")
