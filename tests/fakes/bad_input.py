"""Records that no application can act on, one of each kind, with what is to become of them."""

import base64
import datetime as dt
import json
from dataclasses import dataclass
from hashlib import md5

import zstandard

from fakes.messages import envelope_of
from orderstream.aggregation import UserRecord
from orderstream.aggregation.aggregate import MAGIC, encode_aggregate
from orderstream.messages import Message, compressed
from orderstream_orders.contracts import ReserveStock, ShipOrder, StockLine, StockReserved

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

EVERYBODY = frozenset({"inventory", "notifications", "payments", "saga", "shipping"})
"""The applications that park what they cannot carry out."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One bad record.

    Attributes:
        name: What is wrong with it; its partition key, too.
        data: The record's data.
        reason: What the reason of its dead letter says.
        parked_by: Who has it as a dead letter.
        key: The key that it is parked under, where that is another one.
    """

    name: str
    data: bytes
    reason: str
    parked_by: frozenset[str] = EVERYBODY
    key: str = ""

    @property
    def parked_key(self) -> str:
        return self.key or self.name


def enveloped(message: Message, event_id: str) -> bytes:
    return envelope_of(message, source="tests", event_id=event_id, time=NOW).encode()


def sealed(body: bytes) -> bytes:
    """A body with the magic number and the digest that make it an aggregate."""
    return MAGIC + body + md5(body, usedforsecurity=False).digest()


def ship_order(order_id: str) -> bytes:
    return enveloped(ShipOrder(order_id=order_id, country="France", units=1), f"ship-{order_id}")


def compressed_ship_order(order_id: str) -> bytes:
    """The same with a remark that nobody knows and that is worth compressing."""
    event = json.loads(ship_order(order_id))
    event["data"]["remark"] = "handle with care, " * 100
    return compressed(json.dumps(event).encode())


def changed(name: str, **attributes: object) -> bytes:
    """A ``ShipOrder`` whose envelope has other attributes."""
    return json.dumps(json.loads(ship_order(name)) | {"id": f"changed-{name}"} | attributes).encode()


def reserved(name: str, **attributes: object) -> bytes:
    """A reply for an order that was never placed, whose envelope has other attributes."""
    return json.dumps(
        json.loads(enveloped(StockReserved(order_id=name), f"reserved-{name}")) | attributes
    ).encode()


def bomb(name: str) -> bytes:
    """An event of a few bytes whose compressed data would become 64 MiB."""
    content = base64.b64encode(zstandard.compress(bytes(64 * 2**20))).decode()
    members = json.loads(ship_order(name)) | {"contentencoding": "zstd", "data_base64": content}
    del members["data"]
    return json.dumps(members).encode()


_INNER = encode_aggregate([UserRecord("inside", ship_order("inside"))])
_SHIPPING = frozenset({"shipping"})
_SAGA = frozenset({"saga"})
_NO_JSON = "NotAnEventError: not an event of this stream: JSON is malformed"
_NO_EVENT = "NotAnEventError: not an event of this stream: "

PLANTED = (
    Planted("bytes", b"\x00\xff no event", _NO_JSON),
    Planted("empty", b"", "NotAnEventError: not an event of this stream: Input data was truncated"),
    Planted("other-json", b'{"order": 1}', _NO_EVENT + "Object missing required field"),
    Planted("list", b"[]", _NO_EVENT + "Expected `object`, got `array`"),
    Planted("cut", ship_order("cut")[:-20], _NO_EVENT + "Input data was truncated"),
    Planted("utf-16", ship_order("utf-16").decode().encode("utf-16"), _NO_JSON),
    Planted("latin-1", changed("latin-1").replace(b'"tests"', b'"caf\xe9"'), _NO_EVENT + "'utf-8' codec"),
    Planted("deep", changed("deep", x=0).replace(b'"x": 0', b'"x": ' + b"[" * 50_000), _NO_EVENT + "maximum"),
    Planted("no-zone", changed("no-zone", time="2026-01-01T00:00:00"), _NO_EVENT + "Expected `datetime`"),
    Planted("no-subject", changed("no-subject", subject=""), _NO_EVENT + "Expected `str` of length >= 1"),
    Planted("misfit", changed("misfit", data={"order_id": 1}), _NO_EVENT + "data of shipping.S", _SHIPPING),
    Planted("stranger", changed("stranger", subject="another"), _NO_EVENT + "subject 'another'", _SHIPPING),
    Planted(
        "version",
        changed("version", dataschema="urn:orderstream:schema:shipping.ShipOrder:99"),
        "UnsupportedSchemaVersionError: schema 'urn:orderstream:schema:shipping.ShipOrder:99' cannot be read",
        _SHIPPING,
    ),
    Planted(
        "command",
        changed("command", type="shipping.Teleport"),
        "UnknownMessageTypeError: unknown message type 'shipping.Teleport'",
        _SHIPPING,
    ),
    Planted(
        "no-cause",
        changed("no-cause", causationid=None),
        "ConversationBegunError: shipping.ShipOrder has no cause in the stream",
        _SHIPPING,
    ),
    Planted(
        "no-sender",
        changed("no-sender", replyto=None),
        "CommandWithoutSenderError: the reply to shipping.ShipOrder would reach nobody",
        _SHIPPING,
    ),
    Planted("unasked", reserved("unasked"), "UnaskedReplyError: StockReserved for order unasked", _SAGA),
    Planted(
        "to-nobody",
        reserved("to-nobody", recipient="nobody"),
        "ReplyWithoutCommandError: StockReserved is no reply to a command: its recipient 'nobody'",
        _SAGA,
    ),
    Planted("bomb", bomb("bomb"), "DataTooLargeError: not an event of this stream: its data has more than"),
    Planted("broken-aggregate", sealed(b"\x1a\xff\xff\xff"), _NO_JSON),
    Planted("dangling-aggregate", sealed(b"\x1a\x04\x08\x09\x1a\x00"), _NO_JSON),
    Planted("cut-aggregate", _INNER[:-1], _NO_JSON),
    Planted("nested-aggregate", encode_aggregate([UserRecord("nested-aggregate", _INNER)]), _NO_JSON),
)
"""What becomes a dead letter."""

_LINES = tuple(StockLine(sku=f"{number:0199}A", quantity=1) for number in range(2_000))

TOO_LARGE = Planted(
    "too-large",
    enveloped(ReserveStock(order_id="too-large", lines=_LINES), "reserve-too-large"),
    "ValueError: an item holds 409,600 bytes at most",
    frozenset({"inventory"}),
)
"""An order that came past the API: its lines fit a record, but no item of DynamoDB."""

UNKNOWN_EVENT = changed("unknown-event", type="OrderTeleported")
"""An event whose type nobody knows: counted and passed over, so that new ones can be published."""
