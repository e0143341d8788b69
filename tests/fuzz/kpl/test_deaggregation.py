"""Bytes that claim to be an aggregate: user records, the plain record, or the declared error."""

from hashlib import md5

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orderstream.aggregation import AggregateCorruptError, UserRecord, deaggregate
from orderstream.aggregation.aggregate import MAGIC, encode_aggregate

WHOLE = encode_aggregate(
    [
        UserRecord("a", b"1"),
        UserRecord("b", b"22", 7),
        UserRecord("a", b""),
        UserRecord("c" * 256, b"\xff" * 40),
    ]
)
BODY = WHOLE[4:-16]


def sealed(body: bytes) -> bytes:
    """A body with the magic number and the digest that make it an aggregate."""
    return MAGIC + body + md5(body, usedforsecurity=False).digest()


# A record of 204 bytes whose data claims a length of three bytes: 16,456, and 72 written longer than need be.
TOO_LONG = b"\x0a\x01k" + b"\x1a\xcc\x01\x08\x00\x1a\xc8\x80\x01" + b"x" * 198
PADDED = b"\x0a\x01k" + b"\x1a\xcc\x01\x08\x00\x1a\xc8\x80\x00" + b"x" * 72 + b"\x22\x7c" + b"y" * 124


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(whole)))
        whole = whole[:start] + draw(st.binary(max_size=6)) + whole[start + draw(st.integers(0, 12)) :]
    return whole


@settings(max_examples=400, deadline=None)
@given(damaged(BODY) | st.binary(min_size=1, max_size=100))
@example(b"\x0a\x00\x1a\x04\x08\x00\x1a\x00")
@example(b"\x1a\x04\x08\x09\x1a\x00")
@example(b"\x1a" + b"\xff" * 10)
@example(TOO_LONG)
def test_a_damaged_body_is_user_records_or_the_declared_error(body: bytes) -> None:
    """What is sealed rightly is deaggregated into records that Kinesis could hold, or refused."""
    try:
        deaggregated = deaggregate(sealed(body), "key")
    except AggregateCorruptError:
        return
    assert deaggregated.aggregated
    for record in deaggregated.user_records:
        assert 1 <= len(record.partition_key) <= 256
        assert 0 <= record.hash_key < 2**128


@settings(max_examples=200, deadline=None)
@given(damaged(WHOLE) | st.integers(0, len(WHOLE) - 1).map(lambda end: WHOLE[:end]))
def test_what_is_not_sealed_rightly_is_a_plain_record(data: bytes) -> None:
    """As in KCL: without magic number and digest it is somebody's payload, passed on as it is."""
    if data == WHOLE:
        return
    deaggregated = deaggregate(data, "key")
    assert (deaggregated.aggregated, deaggregated.user_records) == (False, (UserRecord("key", data),))


def test_a_length_that_runs_beyond_its_record_is_an_error() -> None:
    """A length of three bytes is a length, not the beginning of the data."""
    with pytest.raises(AggregateCorruptError):
        deaggregate(sealed(TOO_LONG), "key")


def test_a_length_may_be_written_longer_than_need_be() -> None:
    """What protobuf reads is what comes out, however the length is written."""
    assert deaggregate(sealed(PADDED), "key").user_records == (UserRecord("k", b"x" * 72),)
