"""A payload that is no event is named by its kind: an operator has to know whose it may be."""

import gzip

import pytest

from fakes.engine import ARRIVAL
from fakes.messages import envelope_of
from orderstream.aggregation import UserRecord
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream_orders.contracts import ReleaseStock
from orderstream_workers.operations.payloads import described

CHANGE = b'{"eventName": "MODIFY", "tableName": "orderstream-stock", "dynamodb": {"Keys": {}}}'


def test_an_event_is_named_by_its_type_and_order() -> None:
    """Also where its handler failed: then the event itself is whole."""
    event = envelope_of(ReleaseStock(order_id="o-1"), source="saga", event_id="r-1", time=ARRIVAL).encode()
    assert described(event).endswith("ReleaseStock of order o-1")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no event but nothing, 0 bytes"),
        (b"hello Alice", "no event but text, 11 bytes, begins with the bytes 68 65 6c 6c"),
        (b"<html>sorry</html>", "no event but HTML or XML, 18 bytes, begins with the bytes 3c 68 74 6d"),
        (b"\x00\xff\x10", "no event but binary data, 3 bytes, begins with the bytes 00 ff 10"),
        (gzip.compress(b"x", mtime=0), "no event but gzip, 21 bytes, begins with the bytes 1f 8b 08 00"),
        (CHANGE, "no event but a captured change of the DynamoDB table orderstream-stock, 83 bytes"),
        (b'{"name": "Alice', "no event but JSON that is broken or breaks off ("),
        (b'{"name": "Alice"}', "no event but JSON (Object missing required field `"),
        (b"[1]", "no event but JSON (Expected `object`, got `array`), 3 bytes"),
    ],
)
def test_anything_else_is_named_by_its_kind_and_how_it_begins(data: bytes, said: str) -> None:
    """In one line, and too little of it to hold anything personal."""
    found = described(data)
    assert found.startswith(said)
    assert "Alice" not in found
    assert found.isprintable()


def test_an_aggregate_that_stayed_closed_is_named_as_one() -> None:
    """Its producer is at fault, and KPL's or another library of its kind."""
    broken = bytearray(encode_aggregate([UserRecord("a", b"x"), UserRecord("b", b"y")]))
    broken[-1] ^= 1
    assert described(bytes(broken)).startswith("no event but an aggregate of KPL's that could not be taken")
