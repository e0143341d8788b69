"""The catalogue as a page to read: the flow, two orders' conversations, every message with its example."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from orderstream.messages import Command, Event, Message, Reply
from orderstream.messages.envelope import Envelope
from orderstream_orders.catalogue.asyncapi import publisher
from orderstream_orders.catalogue.examples import CANCELLED_ORDER, CONFIRMED_ORDER, example_of
from orderstream_orders.catalogue.schemas import Schema, described, schema_of
from orderstream_orders.contracts import MESSAGE_TYPES

_INTRODUCTION = """\
# Events and commands

Generated from `orderstream.messages` by `python -m orderstream_orders.catalogue`; do not edit. The same as
AsyncAPI 3.0: [asyncapi.json](asyncapi.json); each message's JSON Schema: [schemas/](schemas/).

One Kinesis stream carries them all, with the order id as partition key, or the SKU where a message is about
stock and no order. **Events** say what happened and are
published by their owner alone. **Commands** ask one service for something. That service sends one of the
**replies** that the command names, success or an expected error, to the service in the command's `replyto`,
under the command's `correlationid`. A conversation begins with an event that happens for reasons outside the
stream, never with a command or a reply. The archiver takes every message and order status
every message about an order; the consumers below are those that act on it.

Who receives a message that breaks these rules refuses it, as a dead letter: a command whose reply would reach
nobody, a reply for nobody, a reply to a command that was not sent or that does not name it, a command or a
reply without a cause.

Schemas only grow: a new optional field is the one change allowed within a version, readers ignore what they
do not know, and older versions are lifted when they are read.

## The flow

```
OrderPlaced ─> saga ─┬─ inventory.ReserveStock ──> StockReserved ───┬─> saga ── shipping.ShipOrder
                     └─ payments.CapturePayment ─> PaymentCaptured ─┘                  │
                     CustomerNotified <─┬── OrderConfirmed <── saga <── OrderShipped <─┘
                            StockSold <─┘

StockRejected, PaymentDeclined, ShipmentRefused, StepOverdue or OrderCancellationRequested
   ─> saga ─┬─ inventory.ReleaseStock ──> StockReleased ────┬─> saga ── OrderCancelled ─> CustomerNotified
            └─ payments.RefundPayment ──> PaymentRefunded ──┘

a step without a reply ─> an operator ── StepResolved ─> saga ── shipping.RefuseShipment

a scan of the parcel ─> shipping ── ParcelHandedOver, ParcelDelivered, ParcelReturned ─> CustomerNotified

change of a stock item, by any writer ─> stock-monitor ── LowStockDetected ─> notifications ─> operators
```

Shipping is the pivot. Until it is asked for, a refusal, a late step or the customer's wish undoes every step
that was asked for and not refused; after it, only a refused shipment does, and a cancellation is refused. A
command's correlation id is its step and a number that counts the step's requests, its compensation included.
"""

_COMPRESSION = """
A publisher may compress the data (`EventPublisher(..., compression="zstd")`, `ORDERSTREAM_COMPRESSION=zstd`).
In place of `data` such an envelope has `contentencoding`, which says `zstd`, and `data_base64`; every other
attribute stays in clear. `decode_envelope` undoes it, to 10 MiB at most: more is a dead letter. Messages that
would not become smaller are not compressed, and the archive has all of them uncompressed.
"""


def page() -> str:
    """The page, in Markdown."""
    return "\n".join(
        [
            _INTRODUCTION,
            "### An order that is confirmed\n",
            *_conversation(CONFIRMED_ORDER),
            "\n### An order that is cancelled\n",
            *_conversation(CANCELLED_ORDER),
            "\n## The envelope\n",
            described(Envelope.__doc__)[0] + " CloudEvents 1.0 in JSON:\n",
            *_table(("Attribute", "What it says"), _envelope_rows()),
            _COMPRESSION,
            "\n## All messages\n",
            *_table(("Message", "Kind", "Owner", "Published by", "Consumers"), _index_rows()),
            *(line for message_type in MESSAGE_TYPES for line in _section(message_type)),
            "",
        ]
    )


def _conversation(envelopes: Sequence[Envelope]) -> Iterator[str]:
    numbers = {envelope.id: str(number) for number, envelope in enumerate(envelopes, start=1)}
    rows = (
        (
            numbers[envelope.id],
            _link(envelope.type),
            envelope.source,
            numbers.get(envelope.causation_id or "", ""),
        )
        for envelope in envelopes
    )
    return _table(("#", "Message", "Published by", "Caused by #"), rows)


def _envelope_rows() -> Iterator[tuple[str, str]]:
    words = described(Envelope.__doc__)[1]
    for field in msgspec.structs.fields(Envelope):
        if field.name in words:
            yield f"`{field.encode_name}`", words[field.name]


def _index_rows() -> Iterator[tuple[str, ...]]:
    for message_type in MESSAGE_TYPES:
        yield (
            _link(message_type.type_name()),
            message_type.kind,
            message_type.owner,
            publisher(message_type),
            _names(message_type.consumers),
        )


def _section(message_type: type[Message]) -> Iterator[str]:
    schema = schema_of(message_type)
    name = message_type.type_name()
    yield f"\n### {name}\n"
    yield f"{described(message_type.__doc__)[0]}\n"
    yield (
        f"{message_type.kind.capitalize()} of **{message_type.owner}**, published by "
        f"{publisher(message_type)}; "
        f"acted on by: {_names(message_type.consumers)}. Version {message_type.schema_version} "
        f"([schema](schemas/{name}.{message_type.schema_version}.json)).\n"
    )
    yield from _place(message_type)
    main, *parts = schema["$defs"].items() if len(schema["$defs"]) > 1 else [*schema["$defs"].items()]
    yield from _table(("Field", "Type", "Required", "What it says"), _field_rows(main[1]))
    for part, definition in parts:
        yield f"\n`{part}`: {definition['description']}\n"
        yield from _table(("Field", "Type", "Required", "What it says"), _field_rows(definition))
    yield "\n```json"
    data = msgspec.json.format(bytes(example_of(message_type).data), indent=2).decode()
    yield f"{data}\n```"


def _place(message_type: type[Message]) -> Iterator[str]:
    """Where the message has its place in a conversation."""
    if issubclass(message_type, Command):
        success, refusals = (
            (_link(kind.type_name()) for kind in kinds)
            for kinds in (message_type.success, message_type.refusals)
        )
        refused = ", ".join(refusals)
        yield f"Replies: {', '.join(success)}{f'; where it is refused: {refused}' if refused else ''}.\n"
    elif issubclass(message_type, Reply):
        commands = (kind for kind in MESSAGE_TYPES if issubclass(kind, Command))
        answered = (kind.type_name() for kind in commands if message_type in kind.replies())
        yield f"Reply to: {', '.join(map(_link, answered))}.\n"
    elif issubclass(message_type, Event) and message_type.outside:
        yield "It happens for reasons outside the stream, and may begin a conversation.\n"


def _field_rows(schema: Schema) -> Iterator[tuple[str, ...]]:
    required = set(schema["required"])
    for name, part in schema["properties"].items():
        yield f"`{name}`", _kind(part), "yes" if name in required else "no", part.get("description", "")


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "anyOf" in schema:
        return " or ".join(_kind(branch) for branch in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f'`"{value}"`' for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("format", schema.get("type", "any")))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        # Docstrings mark code as reStructuredText does.
        yield f"| {' | '.join(row)} |".replace("``", "`")


def _link(type_name: str) -> str:
    return f"[{type_name}](#{type_name.lower().replace('.', '')})"


def _names(services: tuple[str, ...]) -> str:
    return ", ".join(services) or "no particular service"
