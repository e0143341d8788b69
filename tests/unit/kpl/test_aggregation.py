from hashlib import md5

import pytest

from orderstream.aggregation import MAX_HASH_KEY, AggregateCorruptError, UserRecord, deaggregate, hash_key_of
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.aggregation.codec import MAGIC

TWO = (UserRecord("a", b"one"), UserRecord("b", b"two", 7))


def sealed(body: bytes) -> bytes:
    return MAGIC + body + md5(body).digest()


def test_the_bytes_are_those_of_the_published_format() -> None:
    """Two keys, one explicit hash key: the encoding is fixed to the byte."""
    body = b"\x0a\x01a\x0a\x01b\x12\x017\x1a\x07\x08\x00\x1a\x03one\x1a\x09\x08\x01\x10\x00\x1a\x03two"
    assert encode_aggregate(TWO) == sealed(body)


def test_a_repeated_key_is_written_once() -> None:
    """The key tables hold each distinct key once, however many records carry it."""
    aggregate = encode_aggregate([UserRecord("order-1", b"x", 5)] * 100)
    assert aggregate.count(b"order-1") == 1


@pytest.mark.parametrize("data", [b"", b"plain", MAGIC, MAGIC + bytes(16), MAGIC + b"body" + bytes(16)])
def test_without_magic_and_digest_it_is_a_plain_record(data: bytes) -> None:
    """What does not carry both marks is somebody's payload and passes through untouched."""
    deaggregated = deaggregate(data, "key", "12")
    assert deaggregated.user_records == (UserRecord("key", data, 12),)
    assert not deaggregated.aggregated


@pytest.mark.parametrize("last", ["order-\u00e9", "order-e", "\u00fc" * 128, "x" * 256])
def test_a_long_key_table_is_read_to_its_end(last: str) -> None:
    """Thousands of keys come back as they were, whatever characters the last of them has."""
    records = tuple(UserRecord(f"order-{number}", b"%d" % number) for number in range(5000))
    records = (*records, UserRecord(last, b"last"), records[0])
    assert deaggregate(encode_aggregate(records), "a").user_records == records


def test_a_nested_aggregate_stays_closed() -> None:
    """Only the outer aggregate is deaggregated, as KCL does."""
    inner = encode_aggregate(TWO)
    deaggregated = deaggregate(encode_aggregate([UserRecord("outer", inner)]), "a")
    assert deaggregated.user_records == (UserRecord("outer", inner),)


@pytest.mark.parametrize(
    "extra",
    [
        b"\x20\x01",  # field 4, varint
        b"\x2a\x03abc",  # field 5, length-delimited
        b"\x31" + bytes(8),  # field 6, 64 bits
        b"\x3d" + bytes(4),  # field 7, 32 bits
        b"\x43\x0a\x01z\x4b\x08\x05\x4c\x44",  # group 8 with a string and group 9 inside
        b"\x08\x05",  # field 1 with the wrong wire type
    ],
)
def test_unknown_fields_are_skipped(extra: bytes) -> None:
    """A newer producer may add fields; older readers leave them aside."""
    aggregate = encode_aggregate(TWO)[4:-16]
    assert deaggregate(sealed(extra + aggregate), "a").user_records == TWO


def test_tags_and_order_of_fields_do_not_matter() -> None:
    """Records may precede the tables, and a record's tags are skipped."""
    tagged = b"\x1a\x0c\x22\x03\x0a\x01t\x1a\x01x\x08\x00"
    tagged = tagged[:1] + bytes([len(tagged) - 2]) + tagged[2:]
    assert deaggregate(sealed(tagged + b"\x0a\x01k"), "a").user_records == (UserRecord("k", b"x"),)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a\x05ab",  # cut off
        b"\x0a",  # a length is missing
        b"\x0a" + b"\xff" * 11,  # a varint without end
        b"\x00\x01",  # field number 0
        b"\x0e",  # wire type 6
        b"\x43",  # an open group
        b"\x44",  # a group closed that was never deaggregated
        b"\x0a\x01\xff\x1a\x04\x08\x00\x1a\x00",  # a key that is not UTF-8
        b"\x0a\x01k\x1a\x04\x08\x01\x1a\x00",  # index behind the table
        b"\x0a\x01k\x1a\x06\x08\x00\x10\x00\x1a\x00",  # hash key index behind the table
        b"\x0a\x01k\x1a\x02\x08\x00",  # no data
        b"\x0a\x01k\x1a\x02\x1a\x00",  # no key
        b"\x12\x03abc",  # a hash key that is no number
        b"\x12\x27" + b"9" * 39,  # a hash key of 2**128 or more
        b"\x12\xd0\x86\x03" + b"1" * 50000,  # a hash key beyond all measure
    ],
)
def test_a_broken_body_under_a_right_digest_is_an_error(body: bytes) -> None:
    """Right marks around a broken body mean a broken producer: the record must not pass as a payload."""
    with pytest.raises(AggregateCorruptError) as caught:
        deaggregate(sealed(body), "a")
    assert caught.value.size == len(body) + 20
    assert not caught.value.retryable


def test_the_hash_key_is_md5_unless_explicit() -> None:
    """A record belongs where Kinesis would put it."""
    assert (
        UserRecord("order-1", b"").hash_key == int(md5(b"order-1").hexdigest(), 16) == hash_key_of("order-1")
    )
    assert UserRecord("order-1", b"", MAX_HASH_KEY).hash_key == MAX_HASH_KEY
