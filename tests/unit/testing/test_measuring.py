"""What CloudWatch would measure of the fake's streams: who is throttled, and how often."""

from typing import Any

import pytest

from orderstream import AggregatingMeter
from orderstream.testing import FakeKinesis, Fault
from orderstream.testing.errors import KinesisError
from orderstream.testing.faults import FaultKind
from orderstream.testing.measuring import READ_THROTTLED, WRITE_THROTTLED


def made() -> tuple[FakeKinesis, AggregatingMeter]:
    meter = AggregatingMeter()
    kinesis = FakeKinesis(meter=meter, clock=lambda: 1_000.0)
    kinesis.client().create_stream(StreamName="orders", ShardCount=1)
    return kinesis, meter


def measured(meter: AggregatingMeter) -> dict[tuple[str, str], Any]:
    return {
        (point.metric.name, *point.labels): point.total
        if point.distribution is None
        else (point.distribution.total, point.distribution.count)
        for point in meter.collect().points
    }


def test_reads_beyond_five_a_second_are_measured() -> None:
    """Each call counts, so that the average is the share of those that were throttled."""
    kinesis, meter = made()
    iterator = kinesis.call(
        "GetShardIterator",
        {"StreamName": "orders", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"},
    ).response["ShardIterator"]
    for _ in range(5):
        kinesis.call("GetRecords", {"ShardIterator": iterator})
    for _ in range(3):
        with pytest.raises(KinesisError):
            kinesis.call("GetRecords", {"ShardIterator": iterator})
    assert measured(meter)[READ_THROTTLED.name, "orders"] == (3, 8)


def test_records_that_are_refused_are_measured_one_by_one() -> None:
    """A record of a call, and all of a call that is refused as a whole; what is refused otherwise is not."""
    kinesis, meter = made()
    put = {"StreamName": "orders", "Records": [{"Data": b"x", "PartitionKey": str(key)} for key in range(4)]}
    kinesis.faults.add(Fault(operation="PutRecords", kind=FaultKind.FAIL_RECORDS, times=3))
    kinesis.call("PutRecords", put)
    assert measured(meter) == {(WRITE_THROTTLED.name, "orders"): 3}
    kinesis.faults.add(Fault(operation="PutRecords"), Fault(operation="PutRecords", error="InternalFailure"))
    for _ in range(2):
        with pytest.raises(KinesisError):
            kinesis.call("PutRecords", put)
    kinesis.call("PutRecords", put)
    assert measured(meter) == {(WRITE_THROTTLED.name, "orders"): 4}
