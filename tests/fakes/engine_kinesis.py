"""A very small Kinesis in memory, shaped like the boto3 client's four calls that the engine makes."""

import bisect
import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from botocore.exceptions import ClientError

from orderstream.aggregation import MAX_HASH_KEY, hash_key_of


@dataclass
class _Shard:
    shard_id: str
    low: int
    high: int
    parents: tuple[str, ...] = ()
    first_number: int = 0
    children: list[str] = field(default_factory=list)
    closed: bool = False
    last_number: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)


class SmallKinesis:
    """One stream.

    ``refuse`` queues error codes that the next calls for an iterator or records answer;
    ``spurious_ends`` counts the reads that are still to miss their next iterator without a reason.
    """

    def __init__(
        self, shards: int = 1, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    ) -> None:
        self.shards: dict[str, _Shard] = {}
        self.calls: list[tuple[str, str]] = []
        self.refuse: list[str] = []
        self.unreachable_listing = 0
        self.expired_before = 0
        self.spurious_ends = 0
        self.distribution = "USER_PARTITION_KEY"
        self._now = now
        self._sequence = 10**20
        self._iterators = 0
        self._lock = threading.RLock()
        width = (MAX_HASH_KEY + 1) // shards
        for index in range(shards):
            self._open(index * width, MAX_HASH_KEY if index == shards - 1 else (index + 1) * width - 1)

    def put(self, key: str, data: bytes, explicit_hash_key: int | None = None) -> str:
        with self._lock:
            key_position = hash_key_of(key) if explicit_hash_key is None else explicit_hash_key
            shard = next(s for s in self.shards.values() if not s.closed and s.low <= key_position <= s.high)
            self._sequence += 7
            shard.records.append(
                {
                    "SequenceNumber": str(self._sequence),
                    "PartitionKey": key,
                    "Data": data,
                    "ApproximateArrivalTimestamp": self._now(),
                }
            )
            return shard.shard_id

    def split(self, shard_id: str) -> None:
        with self._lock:
            shard = self._close(shard_id)
            middle = (shard.low + shard.high) // 2
            shard.children += [
                self._open(shard.low, middle, (shard_id,)),
                self._open(middle + 1, shard.high, (shard_id,)),
            ]

    def merge(self, first: str, second: str) -> None:
        with self._lock:
            low, high = sorted((self._close(first), self._close(second)), key=lambda shard: shard.low)
            child = self._open(low.low, high.high, (first, second))
            low.children.append(child)
            high.children.append(child)

    def open_neighbours(self) -> list[tuple[str, str]]:
        with self._lock:
            opened = sorted((s for s in self.shards.values() if not s.closed), key=lambda s: s.low)
            return [(a.shard_id, b.shard_id) for a, b in pairwise(opened)]

    def list_shards(self, **_: Any) -> dict[str, Any]:
        with self._lock:
            if self.unreachable_listing:
                self.unreachable_listing -= 1
                raise _error("InternalFailure", "ListShards")
            return {"Shards": [self._described(shard) for shard in self.shards.values()]}

    def describe_stream_summary(self, **_: Any) -> dict[str, Any]:
        with self._lock:
            self._response("DescribeStreamSummary", "")
            return {"StreamDescriptionSummary": {"RecordDistributionStrategy": self.distribution}}

    def get_shard_iterator(self, **more: Any) -> dict[str, Any]:
        with self._lock:
            shard_id = more["ShardId"]
            self._response("GetShardIterator", shard_id)
            if shard_id not in self.shards:
                raise _error("ResourceNotFoundException", "GetShardIterator")
            shard = self.shards[shard_id]
            numbers = [int(record["SequenceNumber"]) for record in shard.records]
            wanted = int(more.get("StartingSequenceNumber", 0))
            index = {
                "TRIM_HORIZON": 0,
                "LATEST": len(numbers),
                "AT_SEQUENCE_NUMBER": bisect.bisect_left(numbers, wanted),
                "AFTER_SEQUENCE_NUMBER": bisect.bisect_right(numbers, wanted),
                "AT_TIMESTAMP": next(
                    (
                        i
                        for i, record in enumerate(shard.records)
                        if "Timestamp" in more and record["ApproximateArrivalTimestamp"] >= more["Timestamp"]
                    ),
                    len(numbers),
                ),
            }[more["ShardIteratorType"]]
            return {"ShardIterator": self._iterator(shard_id, index)}

    def get_records(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            issued, shard_id, index_text = request["ShardIterator"].split("/")
            self._response("GetRecords", shard_id)
            if int(issued) <= self.expired_before:
                raise _error("ExpiredIteratorException", "GetRecords")
            shard, index = self.shards[shard_id], int(index_text)
            records = shard.records[index : index + request["Limit"]]
            end = index + len(records)
            behind = 10_000 if end < len(shard.records) else 0
            response: dict[str, Any] = {"Records": records, "MillisBehindLatest": behind}
            if self.spurious_ends:
                self.spurious_ends -= 1
            elif shard.closed and end == len(shard.records):
                response["ChildShards"] = [self._child(child) for child in shard.children]
            else:
                response["NextShardIterator"] = self._iterator(shard_id, end)
            return response

    def expire_iterators(self) -> None:
        with self._lock:
            self.expired_before = self._iterators

    def _response(self, operation: str, shard_id: str) -> None:
        self.calls.append((operation, shard_id))
        if self.refuse:
            raise _error(self.refuse.pop(0), operation)

    def _iterator(self, shard_id: str, index: int) -> str:
        self._iterators += 1
        return f"{self._iterators}/{shard_id}/{index}"

    def _open(self, low: int, high: int, parents: tuple[str, ...] = ()) -> str:
        shard_id = f"shardId-{len(self.shards):012d}"
        self._sequence += 7
        self.shards[shard_id] = _Shard(shard_id, low, high, parents, first_number=self._sequence)
        return shard_id

    def _close(self, shard_id: str) -> _Shard:
        self._sequence += 7
        self.shards[shard_id].closed = True
        self.shards[shard_id].last_number = self._sequence
        return self.shards[shard_id]

    def _described(self, shard: _Shard) -> dict[str, Any]:
        numbers = {"StartingSequenceNumber": str(shard.first_number)}
        if shard.closed:
            numbers["EndingSequenceNumber"] = str(shard.last_number)
        description: dict[str, Any] = {
            "ShardId": shard.shard_id,
            "HashKeyRange": {"StartingHashKey": str(shard.low), "EndingHashKey": str(shard.high)},
            "SequenceNumberRange": numbers,
        }
        names = ("ParentShardId", "AdjacentParentShardId")
        return description | dict(zip(names, shard.parents, strict=False))

    def _child(self, shard_id: str) -> dict[str, Any]:
        shard = self.shards[shard_id]
        return {
            "ShardId": shard_id,
            "ParentShards": list(shard.parents),
            "HashKeyRange": {"StartingHashKey": str(shard.low), "EndingHashKey": str(shard.high)},
        }


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as told"}}, operation)
