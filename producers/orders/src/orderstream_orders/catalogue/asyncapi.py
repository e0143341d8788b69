"""The flow as an AsyncAPI 3.0 document: https://www.asyncapi.com/docs/reference/specification/v3.0.0."""

from typing import Any, Final

import msgspec

from orderstream.messages import Command, Message
from orderstream_orders.catalogue.examples import example_of
from orderstream_orders.catalogue.schemas import DIALECT, definitions, described
from orderstream_orders.contracts import MESSAGE_TYPES

ARCHIVE_AND_STATUS: Final = ("archiver", "order-status")
"""They take every message, whatever its type; order status keeps those that are about an order."""


def services() -> dict[str, tuple[list[type[Message]], list[type[Message]]]]:
    """What each service puts into the stream and what it acts on, by the service's name.

    A command is put by the service that its reply is for; an event or a reply by its owner.
    """
    roles: dict[str, tuple[list[type[Message]], list[type[Message]]]] = {}
    for message_type in MESSAGE_TYPES:
        roles.setdefault(publisher(message_type), ([], []))[0].append(message_type)
        for consumer in message_type.consumers:
            roles.setdefault(consumer, ([], []))[1].append(message_type)
    return dict(sorted(roles.items()))


def publisher(message_type: type[Message]) -> str:
    """The service that puts a message into the stream.

    Args:
        message_type: The message.
    """
    if not issubclass(message_type, Command):
        return message_type.owner
    (sender,) = {consumer for reply in message_type.replies() for consumer in reply.consumers}
    return sender


def document() -> dict[str, Any]:
    """The whole document, as plain data."""
    messages = {message_type.type_name(): _message(message_type) for message_type in MESSAGE_TYPES}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Orderstream orders",
            "version": "1.0.0",
            "description": "Events and commands of the order pipeline; one stream, partitioned by order.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "orders": {
                "address": "orders",
                "description": (
                    "The Kinesis data stream `orders`; the partition key is the order id, or the SKU "
                    "of an event about stock."
                ),
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": _operations(),
        "components": {"messages": messages, "schemas": definitions()},
    }


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for service, (sent, received) in services().items():
        if sent:
            operations[f"{service}.send"] = _operation("send", f"What {service} puts into the stream.", sent)
        heard = [kind for kind in received if not issubclass(kind, Command)]
        if heard:
            operations[f"{service}.receive"] = _operation("receive", f"What {service} acts on.", heard)
        for command in received:
            if issubclass(command, Command):
                operations[f"{service}.receive.{command.__name__}"] = _request(command)
    for service in ARCHIVE_AND_STATUS:
        operations[f"{service}.receive"] = _operation("receive", "Every message.", list(MESSAGE_TYPES))
    return operations


def _request(command: type[Command]) -> dict[str, Any]:
    """A command and its replies, which go to the service that the command names."""
    summary, _ = described(command.__doc__)
    return {
        **_operation("receive", summary, [command]),
        "reply": {
            "address": {
                "description": "The recipient of the reply; all services read one stream.",
                "location": "$message.payload#/replyto",
            },
            "channel": {"$ref": "#/channels/orders"},
            "messages": [_reference(reply) for reply in command.replies()],
        },
    }


def _operation(action: str, summary: str, message_types: list[type[Message]]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/orders"},
        "messages": [_reference(message_type) for message_type in message_types],
    }


def _reference(message_type: type[Message]) -> dict[str, str]:
    return {"$ref": f"#/channels/orders/messages/{message_type.type_name()}"}


def _message(message_type: type[Message]) -> dict[str, Any]:
    summary, _ = described(message_type.__doc__)
    return {
        "name": message_type.type_name(),
        "title": message_type.__name__,
        "summary": summary,
        "tags": [{"name": message_type.kind}, {"name": message_type.owner}],
        "payload": {
            "$schema": DIALECT,
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": message_type.type_name()},
                        "dataschema": {"const": message_type.schema_uri()},
                        "data": {"$ref": f"#/components/schemas/{message_type.__name__}"},
                    },
                },
            ],
        },
        "examples": [{"payload": msgspec.json.decode(example_of(message_type).encode())}],
    }
