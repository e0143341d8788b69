"""JSON Schema of every message, from its struct, with each field's words from the struct's docstring."""

import inspect
import re
from typing import Any, Final

import msgspec

from orderstream.messages.envelope import Envelope
from orderstream.messages.message import Message
from orderstream_orders.contracts import MESSAGE_TYPES, OrderMessage, StockEvent

Schema = dict[str, Any]
"""A JSON Schema (draft 2020-12) as plain data."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_FIELD: Final = re.compile(r"^ {4}(\w+): (.*)$")


def described(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Split a Google-style docstring into its prose and the descriptions under ``Attributes:``.

    Args:
        docstring: As written; None counts as empty.

    Returns:
        The prose, and each attribute's description on one line.
    """
    prose, _, attributes = inspect.cleandoc(docstring or "").partition("\n\nAttributes:\n")
    fields: dict[str, str] = {}
    name = ""
    for line in attributes.splitlines():
        if match := _FIELD.match(line):
            name = match[1]
            fields[name] = match[2]
        elif name:
            fields[name] = f"{fields[name]} {line.strip()}".strip()
    return prose, fields


_INHERITED: Final = described(OrderMessage.__doc__)[1] | described(StockEvent.__doc__)[1]


def definitions() -> dict[str, Schema]:
    """The schemas of all messages, of what they are made of, and of the envelope, by the struct's name.

    References point at ``#/components/schemas/<name>``, where AsyncAPI wants them.
    """
    _, components = msgspec.json.schema_components(
        (*MESSAGE_TYPES, Envelope), ref_template="#/components/schemas/{name}"
    )
    return {name: _with_descriptions(schema, _INHERITED) for name, schema in components.items()}


def schema_of(message_type: type[Message]) -> Schema:
    """The self-contained schema of one message's data.

    Args:
        message_type: The message.
    """
    schema = msgspec.json.schema(message_type)
    return {
        "$schema": DIALECT,
        "$id": message_type.schema_uri(),
        "$ref": schema["$ref"],
        "$defs": {name: _with_descriptions(part, _INHERITED) for name, part in schema["$defs"].items()},
    }


def _with_descriptions(schema: Schema, inherited: dict[str, str]) -> Schema:
    """Move each attribute's description from the struct's docstring to its property."""
    prose, fields = described(schema.get("description"))
    words = {encoded: text for name, text in {**inherited, **fields}.items() for encoded in _encoded(name)}
    properties = {
        name: {**part, "description": words[name]} if name in words else part
        for name, part in schema["properties"].items()
    }
    return {**schema, "description": prose, "properties": properties}


def _encoded(name: str) -> tuple[str, str]:
    """A field's name as it is written in a message's data, and as CloudEvents writes an attribute."""
    return name, name.replace("_", "")
