"""The committed form of the catalogue: which files it has, and whether they still say what the code says."""

from pathlib import Path
from typing import Final

import msgspec

from orderstream.messages.message import Message
from orderstream_orders.catalogue.asyncapi import document
from orderstream_orders.catalogue.compatibility import breaking_changes
from orderstream_orders.catalogue.page import page
from orderstream_orders.catalogue.schemas import schema_of
from orderstream_orders.contracts import MESSAGE_TYPES

SCHEMAS: Final = "schemas"
"""Folder of the schemas; those of older versions stay there, since their data is still in the archive."""


def schema_path(message_type: type[Message]) -> str:
    """Where the schema of a message's current version is kept, relative to the documentation.

    Args:
        message_type: The message.
    """
    return f"{SCHEMAS}/{message_type.type_name()}.{message_type.schema_version}.json"


def rendered() -> dict[str, str]:
    """Every file of the catalogue as the code has it now, by its path relative to the documentation."""
    return {
        "asyncapi.json": _json(document()),
        "events.md": page(),
        **{schema_path(message_type): _json(schema_of(message_type)) for message_type in MESSAGE_TYPES},
    }


def outdated(docs: Path) -> list[str]:
    """The files that are missing or do not say what the code says.

    Args:
        docs: The documentation's folder.
    """
    return [path for path, text in rendered().items() if _read(docs / path) != text]


def broken(docs: Path) -> list[str]:
    """Breaking changes of the code against the committed schemas, one line each.

    Args:
        docs: The documentation's folder.
    """
    return [
        f"{message_type.type_name()}: {change}"
        for message_type in MESSAGE_TYPES
        if (committed := _read(docs / schema_path(message_type)))
        for change in breaking_changes(msgspec.json.decode(committed), schema_of(message_type))
    ]


def write(docs: Path) -> None:
    """Write every file of the catalogue.

    Args:
        docs: The documentation's folder.
    """
    for path, text in rendered().items():
        target = docs / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
