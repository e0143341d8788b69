"""Our format against Amazon's own Python modules, both ways."""

import base64
from typing import Any

from aws_kinesis_agg import aggregator, deaggregator
from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.aggregation import MAX_HASH_KEY, UserRecord, deaggregate
from orderstream.aggregation.aggregate import encode_aggregate

LETTERS = st.characters(exclude_categories=["Cs"])
KEYS = st.text(LETTERS, min_size=1, max_size=30) | st.sampled_from(["a", "b", "c"])
HASH_KEYS = st.integers(0, MAX_HASH_KEY) | st.integers(0, 3)
WITHOUT_HASH_KEYS = st.lists(st.builds(UserRecord, KEYS, st.binary(max_size=200)), min_size=1, max_size=40)
WITH_HASH_KEYS = st.lists(
    st.builds(UserRecord, KEYS, st.binary(max_size=200), HASH_KEYS), min_size=1, max_size=40
)


def written_by_amazon(records: list[UserRecord]) -> bytes:
    writer = aggregator.AggRecord()
    for record in records:
        hash_key = None if record.explicit_hash_key is None else str(record.explicit_hash_key)
        assert writer.add_user_record(record.partition_key, record.data, hash_key)
    _, _, data = writer.get_contents()
    return bytes(data)


def read_by_amazon(data: bytes) -> list[UserRecord]:
    envelope: dict[str, Any] = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 0,
            "partitionKey": "a",
            "data": base64.b64encode(data),
        }
    }
    deaggregated = []
    for record in deaggregator.deaggregate_records([envelope]):
        kinesis = record["kinesis"]
        hash_key = kinesis["explicitHashKey"]
        deaggregated.append(
            UserRecord(
                kinesis["partitionKey"],
                base64.b64decode(kinesis["data"]),
                None if hash_key is None else int(hash_key),
            )
        )
    return deaggregated


@given(WITHOUT_HASH_KEYS | WITH_HASH_KEYS)
@settings(max_examples=150, deadline=None)
def test_amazon_reads_what_we_write(records: list[UserRecord]) -> None:
    """Amazon's de-aggregator finds our records in our bytes."""
    assert read_by_amazon(encode_aggregate(records)) == records


@given(WITHOUT_HASH_KEYS | WITH_HASH_KEYS)
@settings(max_examples=150, deadline=None)
def test_we_read_what_amazon_writes(records: list[UserRecord]) -> None:
    """We find Amazon's aggregator's records in its bytes."""
    deaggregated = deaggregate(written_by_amazon(records), "a")
    assert deaggregated.aggregated
    assert list(deaggregated.user_records) == records


@given(WITHOUT_HASH_KEYS | WITH_HASH_KEYS)
@settings(max_examples=150, deadline=None)
def test_both_write_the_same_bytes(records: list[UserRecord]) -> None:
    """Where all records or none carry a hash key, the two encoders agree to the byte."""
    assert encode_aggregate(records) == written_by_amazon(records)
