import contextlib
from hashlib import md5

from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.kpl import MAX_HASH_KEY, AggregateCorruptError, UserRecord, deaggregate
from orderstream.kpl.aggregation import MAGIC, Aggregate
from orderstream.kpl.wire import decode_varint, encode_varint, varint_size

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
    """Encoding and opening give back the same records in the same order."""
    opened = deaggregate(Aggregate(records).encode(), "whatever")
    assert opened.aggregated
    assert opened.user_records == tuple(records)


@given(st.lists(USER_RECORDS, max_size=200))
@settings(max_examples=100)
def test_the_size_is_exact_at_every_step(records: list[UserRecord]) -> None:
    """The announced size is the encoded length, after every single record."""
    aggregate = Aggregate()
    for record in records:
        aggregate.add(record)
        assert aggregate.size == len(aggregate.encode())


@given(st.lists(USER_RECORDS, min_size=1, max_size=40), st.integers(20, 2000))
@settings(max_examples=100)
def test_a_limit_is_never_crossed_and_a_refusal_changes_nothing(
    records: list[UserRecord], limit: int
) -> None:
    """A record that does not fit is refused whole: the aggregate is as if it had never been offered."""
    aggregate = Aggregate()
    taken = [record for record in records if aggregate.add(record, limit)]
    assert aggregate.size <= limit
    assert aggregate.encode() == Aggregate(taken).encode()


def test_the_size_stays_exact_beyond_the_small_varints() -> None:
    """More than 16,384 keys and a payload over 2 MiB cross every varint width in use."""
    aggregate = Aggregate([UserRecord(str(number), b"", number) for number in range(16390)])
    aggregate.add(UserRecord("large", bytes(2**21 + 1)))
    assert aggregate.size == len(aggregate.encode())
    assert len(deaggregate(aggregate.encode(), "a").user_records) == len(aggregate) == 16391


@given(st.integers(0, 2**64 - 1))
def test_varints_round_trip(value: int) -> None:
    """Every 64-bit number survives, in the size foretold."""
    encoded = encode_varint(value)
    assert decode_varint(encoded, 0) == (value, len(encoded))
    assert varint_size(value) == len(encoded)


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
