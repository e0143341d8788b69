"""Our format against Amazon's KCL itself: its AggregatorUtil, in Java, with the range check on."""

import base64
import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.aggregation import MAX_HASH_KEY, UserRecord, deaggregate
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.kinesis.shard import HashRange
from orderstream_consumer.engines.embedded.retrieval.deaggregation import deaggregate_records

LETTERS = st.characters(exclude_categories=["Cs"])
KEYS = st.text(LETTERS, min_size=1, max_size=30) | st.sampled_from(["a", "b", "c"])
HASH_KEYS = st.none() | st.integers(0, MAX_HASH_KEY) | st.integers(0, 3)
RECORDS = st.lists(st.builds(UserRecord, KEYS, st.binary(max_size=200), HASH_KEYS), min_size=1, max_size=40)
RANGES = st.tuples(st.integers(0, MAX_HASH_KEY), st.integers(0, MAX_HASH_KEY)).map(sorted)
EVERYTHING = [0, MAX_HASH_KEY]

Deaggregated = tuple[str, bytes, int | None, int]

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Amazon:
    """Asks the process that runs Amazon's Java."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("amazons_java.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, **question: Any) -> Any:
        """One question, one response."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(question) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline())

    def open(self, data: bytes, hash_range: list[int]) -> list[Deaggregated]:
        """What KCL hands over of a Kinesis record whose partition key is ``outer``."""
        low, high = map(str, hash_range)
        encoded = base64.b64encode(data).decode()
        return [
            (
                record["key"],
                base64.b64decode(record["data"]),
                None if record["hash"] is None else int(record["hash"]),
                record["index"],
            )
            for record in self.ask(do="open", data=encoded, key="outer", start=low, end=high)
        ]

    def write(self, records: list[UserRecord]) -> bytes:
        """An aggregate that Amazon's protobuf classes have written."""
        described = [
            {
                "key": record.partition_key,
                "data": base64.b64encode(record.data).decode(),
                "hash": None if record.explicit_hash_key is None else str(record.explicit_hash_key),
            }
            for record in records
        ]
        return base64.b64decode(self.ask(do="write", records=described))

    def end(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    """Amazon's Java; it starts once."""
    amazon = Amazon()
    yield amazon
    amazon.end()


def ours(data: bytes, hash_range: list[int]) -> list[Deaggregated]:
    """What our engine hands over of the same record."""
    raw = {
        "SequenceNumber": "1",
        "PartitionKey": "outer",
        "Data": data,
        "ApproximateArrivalTimestamp": dt.datetime.now(dt.UTC),
    }
    owned = HashRange(*hash_range)
    deaggregated = deaggregate_records("shardId-0", [raw], done=None, hash_range=owned, read_at=NOW)
    return [
        (
            record.partition_key,
            record.data,
            record.explicit_hash_key,
            record.position.subsequence_number,
        )
        for record in deaggregated.records
    ]


@given(records=RECORDS)
@settings(max_examples=150, deadline=None)
def test_kcl_delivers_every_record_that_we_pack(amazon: Amazon, records: list[UserRecord]) -> None:
    """Keys, data, explicit hash keys and sub-sequence numbers are ours, and nothing is dropped."""
    expected = [
        (record.partition_key, record.data, record.explicit_hash_key, index)
        for index, record in enumerate(records)
    ]
    assert amazon.open(encode_aggregate(records), EVERYTHING) == expected


@given(records=RECORDS, hash_range=RANGES)
@settings(max_examples=150, deadline=None)
def test_our_engine_drops_what_kcl_drops(
    amazon: Amazon, records: list[UserRecord], hash_range: list[int]
) -> None:
    """An aggregate with a record of another shard is dropped whole by both, any other delivered by both."""
    data = encode_aggregate(records)
    assert ours(data, hash_range) == amazon.open(data, hash_range)


@given(records=RECORDS)
@settings(max_examples=150, deadline=None)
def test_we_open_what_amazon_writes(amazon: Amazon, records: list[UserRecord]) -> None:
    """What Amazon's protobuf writes, tables without reuse included, we open to the same records."""
    deaggregated = deaggregate(amazon.write(records), "outer")
    assert deaggregated.aggregated
    assert list(deaggregated.user_records) == records


@given(records=RECORDS, index=st.integers(0), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_both_take_a_damaged_aggregate_for_a_plain_record(
    amazon: Amazon, records: list[UserRecord], index: int, bit: int
) -> None:
    """One flipped bit anywhere, and both deliver the record closed, under its own key."""
    data = bytearray(encode_aggregate(records))
    data[index % len(data)] ^= 1 << bit
    assert ours(bytes(data), EVERYTHING) == amazon.open(bytes(data), EVERYTHING) == [("outer", data, None, 0)]


@given(records=RECORDS)
@settings(max_examples=50, deadline=None)
def test_an_aggregate_inside_an_aggregate_stays_closed_in_both(
    amazon: Amazon, records: list[UserRecord]
) -> None:
    """Only the outer one is deaggregated."""
    inner = encode_aggregate(records)
    data = encode_aggregate([UserRecord("a", inner)])
    assert ours(data, EVERYTHING) == amazon.open(data, EVERYTHING) == [("a", inner, None, 0)]
