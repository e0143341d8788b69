"""Typed messages: the CloudEvents envelope, ids that are derived, compression, and the registry of types."""

from orderstream.messages.compression import MAX_DATA_BYTES, compressed, uncompressed
from orderstream.messages.envelope import Envelope, check_identifiers, decode_envelope, following, initial
from orderstream.messages.errors import (
    DataTooLargeError,
    IdentifierInvalidError,
    MessageTypeTakenError,
    NotAnEventError,
    UnknownMessageTypeError,
    UnsupportedSchemaVersionError,
)
from orderstream.messages.identity import check_identifier, derived_id, initial_event_id
from orderstream.messages.message import Message
from orderstream.messages.registry import REGISTRY, Registry, register

__all__ = [
    "MAX_DATA_BYTES",
    "REGISTRY",
    "DataTooLargeError",
    "Envelope",
    "IdentifierInvalidError",
    "Message",
    "MessageTypeTakenError",
    "NotAnEventError",
    "Registry",
    "UnknownMessageTypeError",
    "UnsupportedSchemaVersionError",
    "check_identifier",
    "check_identifiers",
    "compressed",
    "decode_envelope",
    "derived_id",
    "following",
    "initial",
    "initial_event_id",
    "register",
    "uncompressed",
]
