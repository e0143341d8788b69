"""The registry of a program's messages by type name, with the upcasters of older versions of their data."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from orderstream.messages.errors import (
    MessageTypeTakenError,
    NotAnEventError,
    UnknownMessageTypeError,
    UnsupportedSchemaVersionError,
)
from orderstream.messages.message import Message

_VERSION: Final = re.compile(r"[0-9]{1,9}")

_M = TypeVar("_M", bound=Message)

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the data of version n into data of version n + 1."""


class Registry:
    """Decodes data by type name and schema version.

    Args:
        types: The known messages.
        upcasters: For (type name, version n), the function that lifts its data to version n + 1.
    """

    def __init__(
        self,
        types: tuple[type[Message], ...] = (),
        upcasters: Mapping[tuple[str, int], Upcaster] | None = None,
    ) -> None:
        self._types = {message_type.type_name(): message_type for message_type in types}
        self._decoders = {name: msgspec.json.Decoder(kind) for name, kind in self._types.items()}
        self._upcasters = dict(upcasters or {})

    def register(
        self, message_type: type[Message], upcasters: Mapping[int, Upcaster] | None = None
    ) -> type[Message]:
        """Register a message of your own, as a decorator of its class.

        Args:
            message_type: The message; its fields are checked when it is decoded.
            upcasters: For version n, the function that lifts its data to version n + 1.

        Returns:
            The same class.

        Raises:
            MessageTypeTakenError: another class has the type's name.
        """
        name = message_type.type_name()
        known = self._types.setdefault(name, message_type)
        if known is not message_type:
            raise MessageTypeTakenError(name, f"{known.__module__}.{known.__qualname__}")
        self._decoders[name] = msgspec.json.Decoder(message_type)
        self._upcasters |= {(name, version): upcast for version, upcast in (upcasters or {}).items()}
        return message_type

    def types(self) -> tuple[type[Message], ...]:
        """The known messages, in the order in which they were registered."""
        return tuple(self._types.values())

    def type_of(self, type_name: str) -> type[Message] | None:
        """The message of a type name; None if it is not known."""
        return self._types.get(type_name)

    def decode(self, type_name: str, dataschema: str, data: bytes | msgspec.Raw) -> Message:
        """Decode the data of one envelope.

        Args:
            type_name: CloudEvents ``type``.
            dataschema: CloudEvents ``dataschema``, whose last part is the version.
            data: The JSON text of the data.

        Raises:
            UnknownMessageTypeError: the type is not known.
            UnsupportedSchemaVersionError: the version is newer than known, or has no upcaster.
            NotAnEventError: the data does not fit its type.
        """
        message_type = self._types.get(type_name)
        if message_type is None:
            raise UnknownMessageTypeError(type_name)
        try:
            if dataschema == message_type.schema_uri():
                return self._decoders[type_name].decode(data)
            return msgspec.convert(self._upcast(message_type, dataschema, data), message_type, strict=False)
        except (msgspec.DecodeError, LookupError, TypeError, ValueError, RecursionError) as error:
            # Not only what the decoder says: an upcaster meets data that was not validated.
            raise NotAnEventError(f"data of {type_name}: {error}") from error

    def _upcast(
        self, message_type: type[Message], dataschema: str, data: bytes | msgspec.Raw
    ) -> dict[str, Any]:
        name, current = message_type.type_name(), message_type.schema_version
        stem, _, number = dataschema.rpartition(":")
        if (
            stem != message_type.schema_uri().rpartition(":")[0]
            or not _VERSION.fullmatch(number)
            or int(number) > current
        ):
            raise UnsupportedSchemaVersionError(dataschema, current)
        fields = msgspec.json.decode(data, type=dict[str, Any])
        for version in range(int(number), current):
            upcast = self._upcasters.get((name, version))
            if upcast is None:
                raise UnsupportedSchemaVersionError(dataschema, current)
            fields = upcast(fields)
        return fields


REGISTRY: Final = Registry()
"""The program's registry: a module of contracts that is imported registers its messages here."""


def register(message_type: type[_M]) -> type[_M]:
    """Class decorator: let ``Envelope.message`` know a message of your own.

    Args:
        message_type: The message.

    Raises:
        MessageTypeTakenError: another class has the type's name.
    """
    REGISTRY.register(message_type)
    return message_type
