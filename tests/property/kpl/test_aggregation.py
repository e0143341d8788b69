import contextlib
from hashlib import md5

from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.aggregation import MAX_HASH_KEY, AggregateCorruptError, UserRecord, deaggregate
from orderstream.aggregation.aggregate import _open, encode_aggregate
from orderstream.aggregation.codec import MAGIC, Body, pack, seal, unpack
from orderstream.aggregation.wire import decode_varint, encode_varint

LETTERS = st.characters(exclude_categories=["Cs"])
KEYS = st.text(LETTERS, min_size=1, max_size=30) | st.sampled_from(["a", "b"])
USER_RECORDS = st.builds(
    UserRecord,
    KEYS,
    st.binary(max_size=300),
    st.none() | st.integers(0, MAX_HASH_KEY) | st.integers(0, 3),
)


@given(st.lists(USER_RECORDS, min_size=1, max_size=60))
@settings(max_examples=150)
def test_what_goes_in_comes_out(records: list[UserRecord]) -> None:
    """Encoding and deaggregation give back the same records in the same order."""
    deaggregated = deaggregate(encode_aggregate(records), "whatever")
    assert deaggregated.aggregated
    assert deaggregated.user_records == tuple(records)


@given(
    st.lists(USER_RECORDS, min_size=1, max_size=40),
    st.integers(0, 2000),
    st.integers(0, 50),
    st.integers(0, 40),
)
@settings(max_examples=200)
def test_exactly_what_fits_is_taken(
    records: list[UserRecord], max_bytes: int, max_records: int, first: int
) -> None:
    """The longest beginning within both limits, as if nothing else had ever been offered, in any portions."""
    body = Body()
    taken = pack(body, records[:first], max_bytes, max_records)
    if taken == len(records[:first]):
        taken += pack(body, records[first:], max_bytes, max_records)
    data = seal(body)
    assert (body.size, body.count) == (len(data), taken)
    assert data == encode_aggregate(records[:taken])
    assert taken == 0 or (taken <= max_records and len(data) <= max_bytes)
    if taken < min(len(records), max_records):
        assert len(encode_aggregate(records[: taken + 1])) > max_bytes


def test_sizes_stay_exact_beyond_the_small_varints() -> None:
    """More than 16,384 keys and a payload over 2 MiB cross every varint width in use."""
    records = [UserRecord(str(number), b"", number) for number in range(16390)]
    records.append(UserRecord("large", bytes(2**21 + 1)))
    data = encode_aggregate(records)
    assert list(deaggregate(data, "a").user_records) == records
    assert pack(Body(), records, len(data), 20_000) == 16391
    assert pack(Body(), records, len(data) - 1, 20_000) == 16390


def test_an_index_may_be_as_large_as_it_likes() -> None:
    """No Kinesis record holds so many keys, but whoever encodes is not told to stop."""
    body = Body()
    body.keys = dict.fromkeys(map(str, range(2**21)), (b"", ()))  # as if so many stood in it
    (record,) = [UserRecord("last", b"x")]
    assert pack(body, [record], 2**40, 2**40) == 1
    assert b"".join(body.parts[-4:]) == b"\x1a\x08\x08\x80\x80\x80\x01\x1a\x01x"


@given(st.lists(USER_RECORDS, min_size=1, max_size=30), st.data())
@settings(max_examples=100)
def test_the_short_way_and_the_long_way_agree(records: list[UserRecord], data: st.DataObject) -> None:
    """Where the fast reader takes a body, it reads what the field-by-field reader does."""
    body = bytearray(encode_aggregate(records)[4:-16])
    for _ in range(data.draw(st.integers(0, 2))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    short = unpack(MAGIC + body + bytes(16))
    if short is not None:
        assert tuple(short) == _open(bytes(body))


@st.composite
def spelled_lengths(draw: st.DrawFn, size: int) -> bytes:
    """Up to four bytes that are read as the length of so many, or nearly: true, padded, or a lie."""
    near = st.sampled_from([size + more & 0x7F for more in range(-1, 4)])
    first = draw(st.lists(near | st.sampled_from([0, 1, 0x7F]), max_size=3))
    return bytes(byte | 0x80 for byte in first) + bytes([draw(near | st.sampled_from([0, 1, 2]))])


@given(st.data())
@settings(max_examples=400)
def test_lengths_are_read_to_their_end(data: st.DataObject) -> None:
    """However long the lengths of a record are written, whatever they claim, both readers agree."""
    payload = bytes(data.draw(st.integers(0, 300)))
    inner = b"\x08\x00\x1a" + data.draw(spelled_lengths(len(payload))) + payload
    length = data.draw(st.just(encode_varint(len(inner))) | spelled_lengths(len(inner)))
    body = b"\x0a\x01k\x1a" + length + inner
    short = unpack(MAGIC + body + bytes(16))
    if short is not None:
        assert tuple(short) == _open(body)


@given(st.integers(0, 2**64 - 1))
def test_varints_round_trip(value: int) -> None:
    """Every 64-bit number survives."""
    encoded = encode_varint(value)
    assert decode_varint(encoded, 0) == (value, len(encoded))


def delimited(tag: bytes, value: bytes) -> bytes:
    return tag + encode_varint(len(value)) + value


@given(USER_RECORDS)
@settings(max_examples=100)
def test_an_unusual_order_of_fields_means_the_same(record: UserRecord) -> None:
    """Data first and keys behind it, or fields written twice: the last one counts, as in any protobuf."""
    tables = delimited(b"\x0a", record.partition_key.encode())
    turned = delimited(b"\x1a", b"") + delimited(b"\x1a", record.data)
    if record.explicit_hash_key is not None:
        tables += delimited(b"\x12", str(record.explicit_hash_key).encode())
        turned += b"\x10\x00"
    body = tables + delimited(b"\x1a", turned + b"\x08\x07\x08\x00")
    assert deaggregate(MAGIC + body + md5(body).digest(), "a").user_records == (record,)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_body_opens_or_is_reported(body: bytes) -> None:
    """Whatever stands between magic number and digest, the outcome is records or the one typed error."""
    with contextlib.suppress(AggregateCorruptError):
        deaggregate(MAGIC + body + md5(body).digest(), "a")
