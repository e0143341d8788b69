"""A message as a service receives it: the envelope, and its position in the stream."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import TypeVar, overload

from orderstream.messages import REGISTRY, Envelope, Message, NotAnEventError
from orderstream.observability.tracing import NO_SPAN, Span
from orderstream_consumer.processing.record import Position

First = TypeVar("First", bound=Message)
Second = TypeVar("Second", bound=Message)
Third = TypeVar("Third", bound=Message)


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery of one message.

    Attributes:
        envelope: The message. Its trace context is that of the span that processes it, so that what follows
            from it names the span in which it was decided.
        shard_id: The shard that it was read from.
        position: Where it is in that shard.
        arrival: When Kinesis took the record (UTC): the one time on which all hosts agree.
        span: The span that processes it; nothing is decided by it.
    """

    envelope: Envelope
    shard_id: str
    position: Position
    arrival: dt.datetime
    span: Span = field(default=NO_SPAN, compare=False, repr=False)

    @overload
    def message(self, first: type[First], /) -> First: ...
    @overload
    def message(self, first: type[First], second: type[Second], /) -> First | Second: ...
    @overload
    def message(
        self, first: type[First], second: type[Second], third: type[Third], /
    ) -> First | Second | Third: ...
    @overload
    def message(self, *kinds: type[First]) -> First: ...
    def message(self, *kinds: type[Message]) -> Message:
        """The message, decoded, as one of the types that its route is for.

        Args:
            kinds: The types that the route was registered under.

        Raises:
            NotAnEventError: the data does not fit its type, or is about something else than the envelope, or
                the type is none of them.
            UnsupportedSchemaVersionError: the data's version is not known here.
        """
        message = self.envelope.message()
        if not isinstance(message, kinds):
            wanted = " or ".join(kind.type_name() for kind in kinds)
            raise NotAnEventError(f"type {self.envelope.type} stands where {wanted} is expected")
        return message

    @property
    def subject(self) -> str:
        """What it is about, such as an order's id: the key of its row, and of what follows from it."""
        return self.envelope.subject

    @property
    def record_id(self) -> str:
        """Shard and position, which distinguish a redelivery from a copy elsewhere in the stream."""
        return f"{self.shard_id}/{self.position}"

    @property
    def digest(self) -> str:
        """SHA-256 over type and data. Trace headers may differ between two sendings of one message."""
        content = self.envelope.type.encode() + b"\0" + bytes(self.envelope.data)
        return hashlib.sha256(content).hexdigest()


def subject_of(envelope: Envelope) -> dict[str, str]:
    """What an envelope is about, as a field of log lines.

    Returns:
        One pair: the name that the message's type gives it (``order_id``, say), or ``subject`` where the type
        is not known; and the subject.
    """
    kind = REGISTRY.type_of(envelope.type)
    return {kind.subject_field if kind is not None else "subject": envelope.subject}
