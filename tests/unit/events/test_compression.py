"""Compressed events: how they are marked, what is refused, and what stays as it was."""

import base64
import datetime as dt
import json
import sys
from typing import Any

import pytest
import zstandard

from fakes.messages import envelope_of
from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream.errors import MissingExtraError
from orderstream.messages import (
    MAX_DATA_BYTES,
    DataTooLargeError,
    Envelope,
    NotAnEventError,
    compressed,
    decode_envelope,
    uncompressed,
)
from orderstream.messages.compression import zstd
from orderstream_orders.contracts import OrderCancellationRequested, StockRejected

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
LONG = StockRejected(order_id="o-1", reason="out of stock, " * 100)


def event(message: Any = LONG) -> Envelope:
    return envelope_of(message, source="inventory", event_id="e-1", time=NOW)


def packed(content: bytes, **changed: object) -> bytes:
    """A compressed event that holds ``content``, with other members changed."""
    members = json.loads(compressed(event().encode()))
    return json.dumps(members | {"data_base64": base64.b64encode(content).decode()} | changed).encode()


def test_attributes_stay_in_clear_and_the_mark_names_the_coding() -> None:
    """Whoever cannot decompress can still tell what the event is about."""
    members = json.loads(compressed(event().encode()))
    plain = json.loads(event().encode())
    content = base64.b64decode(members.pop("data_base64"))
    assert members.pop("contentencoding") == "zstd"
    assert json.loads(zstandard.decompress(content)) == plain.pop("data")
    assert members == plain


def test_what_would_not_shrink_stays_as_it_was() -> None:
    """A short message is left alone, byte for byte, and so is what is over the bound."""
    short = event(OrderCancellationRequested(order_id="o-1")).encode()
    assert compressed(short) == short
    vast = event(StockRejected(order_id="o-1", reason="x" * MAX_DATA_BYTES)).encode()
    assert compressed(vast) == vast


def test_unknown_attributes_survive() -> None:
    """Compression concerns the data alone; extensions are there on both sides."""
    grown = json.dumps(json.loads(event().encode()) | {"tenant": "north"}).encode()
    there = compressed(grown)
    assert json.loads(there)["tenant"] == "north"
    assert json.loads(uncompressed(there)) == json.loads(grown)


@pytest.mark.parametrize("data", [b"", b"\xff", b'{"contentencoding"', b'"contentencoding" in some text'])
def test_what_is_not_marked_comes_back_as_it_is_or_is_refused(data: bytes) -> None:
    """Bytes without the mark are none of its business, and broken ones have one typed error."""
    if b"contentencoding" in data:
        with pytest.raises(NotAnEventError):
            uncompressed(data)
    else:
        assert uncompressed(data) == data


def test_an_event_may_speak_of_the_mark() -> None:
    """A text in the data that looks like it changes nothing."""
    plain = event(StockRejected(order_id="o-1", reason='"contentencoding"')).encode()
    nested = json.dumps(json.loads(plain) | {"data": {"contentencoding": "zstd"}}).encode()
    assert uncompressed(nested) == nested
    assert decode_envelope(plain).encode() == plain


@pytest.mark.parametrize("claims", [True, False], ids=["tells its size", "hides its size"])
def test_a_bomb_is_refused_before_it_goes_off(claims: bool) -> None:
    """A few bytes that would become more than the bound are an error, whatever size they claim to have."""
    compressor = zstandard.ZstdCompressor(write_content_size=claims)
    bomb = compressor.compress(b'"' + b"x" * MAX_DATA_BYTES + b'"')
    assert len(bomb) < 10_000
    with pytest.raises(DataTooLargeError if claims else NotAnEventError):
        decode_envelope(packed(bomb))


def test_the_bound_is_the_largest_that_passes() -> None:
    """Data of exactly so many bytes survives, with and without a size in its frame."""
    data = b'"' + b"x" * (MAX_DATA_BYTES - 2) + b'"'
    for claims in (True, False):
        content = zstandard.ZstdCompressor(write_content_size=claims).compress(data)
        assert bytes(decode_envelope(packed(content)).data) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed(b""), "no JSON in zstd"),
        (packed(b"no frame"), "no JSON in zstd"),
        (packed(zstandard.compress(b"x" * 1000)[:-2]), "no JSON in zstd"),
        (packed(zstandard.compress(b"{} and more")), "no JSON in zstd"),
        (packed(b"", contentencoding="gzip"), "gzip"),
        (packed(b"", contentencoding=1), "contentencoding"),
        (packed(b"", data_base64="?"), "data_base64"),
        (packed(b"", data_base64=None), "data_base64"),
        (packed(b"", data={}), "both"),
        (json.dumps(json.loads(event().encode()) | {"contentencoding": "zstd"}).encode(), "data_base64"),
    ],
)
def test_what_is_marked_and_holds_something_else_is_no_event(data: bytes, reason: str) -> None:
    """Consumers meet the error that they know, with a reason that names the member."""
    with pytest.raises(NotAnEventError, match=reason):
        decode_envelope(data)


def test_the_publisher_compresses_where_it_is_told_to() -> None:
    """The same event comes out of either record; one of the records is smaller."""
    producer = CollectingProducer()
    EventPublisher(producer, source="shop").publish_envelope(event())
    EventPublisher(producer, source="shop", compression="zstd").publish_envelope(event())
    (_, plain), (key, small) = producer.records
    assert key == "o-1"
    assert len(small) < len(plain) / 3
    assert decode_envelope(small) == decode_envelope(plain) == event()


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher says so when it is made, a reader at the first compressed event."""
    small = compressed(event().encode())
    zstd.cache_clear()
    monkeypatch.setitem(sys.modules, "zstandard", None)
    for use in (
        lambda: EventPublisher(CollectingProducer(), source="shop", compression="zstd"),
        lambda: decode_envelope(small),
    ):
        with pytest.raises(MissingExtraError, match=r"orderstream\[zstd\]"):
            use()
    assert decode_envelope(event().encode()) == event()
