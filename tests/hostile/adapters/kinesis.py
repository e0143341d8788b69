"""The calls of the engine's reader to Kinesis."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from hostile.adapters.operation import Clients, Make, Operation, said
from hostile.responses import Wire
from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.retrieval.calls import IssueIterator, ReadRecords, Refusal
from orderstream_consumer.engines.embedded.retrieval.kinesis import KinesisReader
from orderstream_consumer.engines.stream_identity import StreamIdentity


def _reader(call: Callable[[KinesisReader], object]) -> Make:
    """The engine's reader says what stands in the way; here it raises, unless it is over with the shard."""

    def make(clients: Clients) -> Callable[[], object]:
        kinesis = clients.aws("kinesis")
        reader = KinesisReader(kinesis, "orders", max_records=10, now=lambda: dt.datetime.now(dt.UTC))

        def raising() -> object:
            response = call(reader)
            if response in {Refusal.UNREACHABLE, Refusal.THROTTLED}:
                raise DependencyError(
                    "kinesis", "read", str(response), region="us-east-1", endpoint=clients.url
                )
            return response

        return raising

    return make


_SHARD: Final = {
    "ShardId": "shardId-000000000000",
    "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)},
    "SequenceNumberRange": {"StartingSequenceNumber": "1"},
}

_SUMMARY: Final = {
    "StreamDescriptionSummary": {
        "StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
        "StreamCreationTimestamp": 1_291_191_960.0,
        "RecordDistributionStrategy": "USER_PARTITION_KEY",
    }
}


def _identity(clients: Clients) -> Callable[[], object]:
    """Asked on both engines, by our own process: KCL's daemon knows no identities."""
    kinesis = clients.aws("kinesis")
    return lambda: StreamIdentity.of(kinesis, "orders", ordered=True)


KINESIS: Final = (
    Operation(
        "stream identity",
        Wire.JSON,
        "DescribeStreamSummary",
        _identity,
        said(_SUMMARY),
        members=("StreamDescriptionSummary",),
    ),
    Operation(
        "engine ListShards",
        Wire.JSON,
        "ListShards",
        _reader(lambda reader: reader.list_shards()),
        said({"Shards": [_SHARD]}),
        members=("Shards",),
    ),
    Operation(
        "engine GetShardIterator",
        Wire.JSON,
        "GetShardIterator",
        _reader(lambda reader: reader.issue("shardId-000000000000", IssueIterator("TRIM_HORIZON"))),
        said({"ShardIterator": "i-1"}),
        members=("ShardIterator",),
        fine=frozenset({"ShardIterator-as-text"}),
    ),
    Operation(
        "engine GetRecords",
        Wire.JSON,
        "GetRecords",
        _reader(lambda reader: reader.read("shardId-000000000000", ReadRecords("i-1", None), None)),
        said({"Records": [], "NextShardIterator": "i-2", "MillisBehindLatest": 0}),
        members=("Records",),
    ),
)
