"""The calls of the sizing tool to a live stream, and to CloudWatch about its past."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from hostile.adapters.operation import Clients, Operation, said
from hostile.responses import Wire
from shard_sizing.live.cloudwatch import stream_history
from shard_sizing.live.fan_out import FanOut
from shard_sizing.live.polling import Poller
from shard_sizing.live.reshard import Resharding, open_shards, stream_status
from shard_sizing.live.throttles import throttled_writes
from shard_sizing.model.resharding.planner import Plan, plan

_NOW: Final = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
_CREATED: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_ARN: Final = "arn:aws:kinesis:us-east-1:000000000000:stream/orders"


def _shard(number: int, start: int, end: int) -> dict[str, Any]:
    return {
        "ShardId": f"shardId-{number:012}",
        "HashKeyRange": {"StartingHashKey": str(start), "EndingHashKey": str(end)},
        "SequenceNumberRange": {"StartingSequenceNumber": "1"},
    }


_SHARDS: Final = said({"Shards": [_shard(0, 0, 2**127 - 1), _shard(1, 2**127, 2**128 - 1)]})
_SUMMARY: Final = said(
    {
        "StreamDescriptionSummary": {
            "StreamARN": _ARN,
            "StreamStatus": "ACTIVE",
            "StreamCreationTimestamp": 1_291_191_960.0,
            "RetentionPeriodHours": 168,
        }
    }
)
_RECORDS: Final = said({"Records": [], "NextShardIterator": "i-2", "MillisBehindLatest": 0})
_ITERATOR: Final = said({"ShardIterator": "i-1"})
_CONSUMER: Final = said({"Consumer": {"ConsumerARN": f"{_ARN}/consumer/c:1"}})
_ACTIVE: Final = said({"ConsumerDescription": {"ConsumerStatus": "ACTIVE"}})

_STREAM: Final = {
    "DescribeStreamSummary": _SUMMARY,
    "ListShards": _SHARDS,
    "GetShardIterator": _ITERATOR,
    "GetRecords": _RECORDS,
    "RegisterStreamConsumer": _CONSUMER,
    "DescribeStreamConsumer": _ACTIVE,
    "DeregisterStreamConsumer": said({}),
}

_SPLIT: Final = plan("targeted", (0, 2**127), (0, 2**126, 2**127))
_MERGE: Final = plan("targeted", (0, 2**127), (0,))


def _looks(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much with each look: a second's reading ends after a few."""
    looks = iter(range(1_000_000))
    return lambda: next(looks) * seconds


def _poll(clients: Clients) -> Callable[[], object]:
    kinesis = clients.aws("kinesis")
    return lambda: list(Poller(kinesis, "orders", _looks(0.5), lambda _: None).read(1))


def _fan_out(clients: Clients) -> Callable[[], object]:
    kinesis = clients.aws("kinesis")

    def register() -> str:
        with FanOut(kinesis, "orders", _looks(0.5), lambda _: None) as fan_out:
            return fan_out.consumer

    return register


def _reshard(plan: Plan) -> Callable[[Clients], Callable[[], object]]:
    def make(clients: Clients) -> Callable[[], object]:
        kinesis = clients.aws("kinesis")
        return lambda: Resharding(kinesis, "orders", sleep=lambda _: None).apply(plan)

    return make


def _history(clients: Clients) -> Callable[[], object]:
    cloudwatch = clients.aws("cloudwatch")
    return lambda: stream_history(cloudwatch, "orders", 1.0, _CREATED, _NOW)


def _throttled(clients: Clients) -> Callable[[], object]:
    cloudwatch = clients.aws("cloudwatch")
    return lambda: throttled_writes(cloudwatch, "orders", _CREATED, _NOW)


def _of_stream(read: Callable[[Any, str], object]) -> Callable[[Clients], Callable[[], object]]:
    def make(clients: Clients) -> Callable[[], object]:
        kinesis = clients.aws("kinesis")
        return lambda: read(kinesis, "orders")

    return make


_EMPTY: Final = ("list", "empty-text", "object")
"""What botocore takes for an empty list."""

_FINE: Final = {
    "ShardIterator": frozenset({"ShardIterator-as-text"}),
    "Records": frozenset(f"Records-as-{kind}" for kind in _EMPTY),
}

_STREAM_CALLS: Final = (
    ("status", "DescribeStreamSummary", _of_stream(stream_status), "StreamDescriptionSummary"),
    ("shards", "ListShards", _of_stream(open_shards), "Shards"),
    ("iterator", "GetShardIterator", _poll, "ShardIterator"),
    ("polling", "GetRecords", _poll, "Records"),
    ("registration", "RegisterStreamConsumer", _fan_out, "Consumer"),
    ("waiting", "DescribeStreamConsumer", _fan_out, "ConsumerDescription"),
    ("deregistration", "DeregisterStreamConsumer", _fan_out, ""),
    ("split", "SplitShard", _reshard(_SPLIT), ""),
    ("merge", "MergeShards", _reshard(_MERGE), ""),
)

SIZING: Final = (
    *(
        Operation(
            f"sizing {name}",
            Wire.JSON,
            operation,
            make,
            _STREAM.get(operation, said({})),
            before=_STREAM,
            members=(member,) if member else (),
            fine=_FINE.get(member, frozenset()),
        )
        for name, operation, make, member in _STREAM_CALLS
    ),
    Operation(
        "sizing history",
        Wire.JSON,
        "GetMetricData",
        _history,
        said({"MetricDataResults": [{"Id": "m0", "Timestamps": [1_767_312_000], "Values": [5.0]}]}),
        members=("MetricDataResults",),
        fine=frozenset(f"MetricDataResults-as-{kind}" for kind in _EMPTY),
    ),
    Operation(
        "sizing throttles",
        Wire.JSON,
        "GetMetricStatistics",
        _throttled,
        said({"Datapoints": [{"Sum": 5.0}]}),
        members=("Datapoints",),
        fine=frozenset(f"Datapoints-as-{kind}" for kind in _EMPTY),
    ),
)
"""Whoever waits for one of these reads one sentence. An empty list says that nothing is there."""
