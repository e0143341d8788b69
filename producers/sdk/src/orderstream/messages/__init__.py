"""Typed messages: the CloudEvents envelope, ids that are derived, compression, and the registry of types."""

from orderstream.messages.compression import MAX_DATA_BYTES, compressed, uncompressed
from orderstream.messages.conversation import check_conversation, following, initial, replying, requesting
from orderstream.messages.envelope import Envelope, check_identifiers, decode_envelope
from orderstream.messages.errors import (
    CommandWithoutSenderError,
    ConversationBegunError,
    DataTooLargeError,
    IdentifierInvalidError,
    MessageTypeTakenError,
    NotAnEventError,
    ReplyWithoutCommandError,
    UnknownMessageTypeError,
    UnsupportedSchemaVersionError,
)
from orderstream.messages.identity import check_identifier, derived_id, initial_event_id
from orderstream.messages.message import Command, Event, Message, Reply
from orderstream.messages.registry import REGISTRY, Registry, register

__all__ = [
    "MAX_DATA_BYTES",
    "REGISTRY",
    "Command",
    "CommandWithoutSenderError",
    "ConversationBegunError",
    "DataTooLargeError",
    "Envelope",
    "Event",
    "IdentifierInvalidError",
    "Message",
    "MessageTypeTakenError",
    "NotAnEventError",
    "Registry",
    "Reply",
    "ReplyWithoutCommandError",
    "UnknownMessageTypeError",
    "UnsupportedSchemaVersionError",
    "check_conversation",
    "check_identifier",
    "check_identifiers",
    "compressed",
    "decode_envelope",
    "derived_id",
    "following",
    "initial",
    "initial_event_id",
    "register",
    "replying",
    "requesting",
    "uncompressed",
]
