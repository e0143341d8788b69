"""The envelope: CloudEvents 1.0 in JSON, with the ids that tie a conversation together.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md (attribute names are lower case, without
separators; extensions are beside the core attributes).
"""

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec

from orderstream.messages.compression import uncompressed
from orderstream.messages.errors import NotAnEventError
from orderstream.messages.identity import check_identifier
from orderstream.messages.message import Message
from orderstream.messages.registry import REGISTRY

MAX_ATTRIBUTE: Final = 256
"""Most characters of an attribute: the subject is a partition key, which has no more (PutRecord's reference).

None holds a NUL, either, which PostgreSQL's texts cannot."""

_RENAMED: Final = {
    "conversation_id": "conversationid",
    "correlation_id": "correlationid",
    "causation_id": "causationid",
    "reply_to": "replyto",
}


_Attribute = Annotated[str, msgspec.Meta(max_length=MAX_ATTRIBUTE, pattern=r"^[^\x00]*$")]
_Required = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ATTRIBUTE, pattern=r"^[^\x00]*$")]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=_RENAMED):
    """One message on its way.

    Attributes:
        id: Unique per source; derived, so that a retry carries the same.
        source: The service that publishes it.
        type: The message's type name.
        subject: What it is about, such as an order's id; it is also the partition key.
        time: When it was decided (UTC).
        dataschema: Names the type and version of the data.
        conversation_id: Made by the initial event, copied to all that follows from it.
        correlation_id: The sender's own identifier of a request; a reply carries the request's.
        causation_id: Id of the message that caused this one; None for an initial event.
        reply_to: The service that a command's reply is for.
        recipient: The service that a reply is for: the ``replyto`` of its command. Replies of earlier
            versions have none.
        traceparent: W3C trace context, where the publisher has one.
        data: The message as JSON text; ``message()`` decodes it.
    """

    specversion: Literal["1.0"]
    id: _Required
    source: _Required
    type: _Required
    subject: _Required
    time: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    dataschema: _Required
    conversation_id: _Required
    data: msgspec.Raw
    datacontenttype: _Attribute | None = None
    correlation_id: _Attribute | None = None
    causation_id: _Attribute | None = None
    reply_to: _Attribute | None = None
    recipient: _Attribute | None = None
    traceparent: _Attribute | None = None

    def message(self) -> Message:
        """Decode the data.

        Raises:
            UnknownMessageTypeError, UnsupportedSchemaVersionError, NotAnEventError: it cannot be acted on.
        """
        message = REGISTRY.decode(self.type, self.dataschema, self.data)
        if message.subject != self.subject:
            raise NotAnEventError(
                f"subject {self.subject!r} is not the {message.subject_field} of its data, "
                f"{message.subject!r}"
            )
        return message

    def encode(self) -> bytes:
        """The bytes that go into the stream."""
        return _ENCODER.encode(self)


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Envelope)


def check_identifiers(envelope: Envelope) -> None:
    """Hold every identifier of an envelope to what an identifier is, where it enters.

    Raises:
        IdentifierInvalidError: one of them is none.
    """
    check_identifier("id", envelope.id)
    check_identifier("source", envelope.source)
    check_identifier("subject", envelope.subject)
    check_identifier("conversationid", envelope.conversation_id)
    for name, value in (
        ("correlationid", envelope.correlation_id),
        ("causationid", envelope.causation_id),
        ("replyto", envelope.reply_to),
        ("recipient", envelope.recipient),
    ):
        if value is not None:
            check_identifier(name, value)


def decode_envelope(data: bytes) -> Envelope:
    """Read an envelope, compressed or not; its data stays undecoded until ``message()`` is called.

    Raises:
        NotAnEventError: the bytes are no envelope.
        MissingExtraError: it is compressed, and the extra ``zstd`` is not installed.
    """
    try:
        envelope = _DECODER.decode(uncompressed(data))
        envelope.time.astimezone(dt.UTC)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnEventError(str(error)) from error
    except OverflowError as error:
        raise NotAnEventError("its time is before the year 1 or after the year 9999 in UTC") from error
    return envelope
