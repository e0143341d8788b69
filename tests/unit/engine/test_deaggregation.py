"""From Kinesis records to user records."""

import datetime as dt

from orderstream.aggregation import UserRecord
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.kinesis.shard import HashRange
from orderstream_consumer.engines.embedded.retrieval import deaggregate_records

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def test_a_record_without_key_and_arrival_is_delivered() -> None:
    """Both are optional members: it has a key of its own, and the time at which it was read."""
    raw = [{"SequenceNumber": str(number), "Data": b"x"} for number in (7, 9)]
    deaggregated = deaggregate_records("s", raw, done=None, hash_range=HashRange(0, 1), read_at=NOON)
    assert len({record.partition_key for record in deaggregated.records}) == 2
    assert [record.approximate_arrival for record in deaggregated.records] == [NOON, NOON]
    assert (deaggregated.first_sequence_number, deaggregated.last_sequence_number) == (7, 9)


def test_an_aggregate_without_a_key_of_its_own_is_opened() -> None:
    """Its user records bring theirs."""
    data = encode_aggregate([UserRecord("k", b"1"), UserRecord("l", b"2")])
    deaggregated = deaggregate_records(
        "s", [{"SequenceNumber": "7", "Data": data}], done=None, hash_range=None, read_at=NOON
    )
    assert [record.partition_key for record in deaggregated.records] == ["k", "l"]
