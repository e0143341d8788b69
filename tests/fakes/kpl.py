"""A tiny Kinesis for the producer: shards that split and merge, a log of all that was taken, a client."""

import threading
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from orderstream.aggregation import MAX_HASH_KEY, deaggregate, hash_key_of
from orderstream.kinesis.shard import HashRange, Shard
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.outcome import Acknowledged, Completion


@dataclass
class Taken:
    """One Kinesis record in the log; its sequence number is its index there."""

    shard_id: str
    user_records: list[tuple[bytes, int]]
    visible: bool


@dataclass
class TinyKinesis:
    """Takes records in the order of the calls, as one shard after the other would."""

    shards: list[Shard] = field(default_factory=list)
    log: list[Taken] = field(default_factory=list)

    @classmethod
    def with_shards(cls, number: int) -> "TinyKinesis":
        edges = [(MAX_HASH_KEY + 1) * index // number for index in range(number + 1)]
        kinesis = cls()
        for start, end in pairwise(edges):
            kinesis._open(HashRange(start, end - 1))
        return kinesis

    @property
    def open(self) -> list[Shard]:
        return sorted((shard for shard in self.shards if shard.is_open), key=lambda shard: shard.hash_range)

    def split(self, shard: Shard, at: int) -> None:
        self._close(shard)
        self._open(HashRange(shard.hash_range.start, at - 1), shard)
        self._open(HashRange(at, shard.hash_range.end), shard)

    def merge(self, left: Shard, right: Shard) -> None:
        self._close(left)
        self._close(right)
        self._open(HashRange(left.hash_range.start, right.hash_range.end), left, right)

    def reshard(self, random: Random) -> None:
        """Split or merge somewhere."""
        shards = self.open
        index = random.randrange(len(shards))
        if len(shards) > 1 and random.random() < 0.5:
            index = min(index, len(shards) - 2)
            self.merge(shards[index], shards[index + 1])
        elif len(shards) < 12:
            start, end = shards[index].hash_range
            self.split(shards[index], start + (end - start) * random.randrange(1, 100) // 100 + 1)

    def take(self, record: KinesisRecord) -> Acknowledged:
        """Append a record where its key leads, and note what consumers will see of it, by KCL's rule."""
        routed_by = record.explicit_hash_key
        hash_key = hash_key_of(record.partition_key) if routed_by is None else int(routed_by)
        shard = next(shard for shard in self.open if shard.hash_range.covers(hash_key))
        deaggregated = deaggregate(record.data, record.partition_key, record.explicit_hash_key)
        users = [(user.data, user.hash_key) for user in deaggregated.user_records]
        wrong_shard = deaggregated.aggregated and any(not shard.hash_range.covers(key) for _, key in users)
        self.log.append(Taken(shard.shard_id, users, visible=not wrong_shard))
        return Acknowledged(shard.shard_id, str(len(self.log) - 1))

    def _open(self, hash_range: HashRange, *parents: Shard) -> None:
        shard_id = f"shardId-{len(self.shards):012d}"
        of = frozenset(parent.shard_id for parent in parents)
        self.shards.append(Shard(shard_id, hash_range, of, starting_sequence_number=1))

    def _close(self, shard: Shard) -> None:
        self.shards[self.shards.index(shard)] = replace(shard, is_open=False, ending_sequence_number=2)


class TinyClient:
    """The tiny Kinesis behind the two calls of a boto3 client that a producer makes.

    ``failures`` are raised by the next calls of put_records, one each. While ``gate`` is not set, calls wait.
    """

    def __init__(self, shards: int = 1) -> None:
        self.kinesis = TinyKinesis.with_shards(shards)
        self.failures: list[Exception] = []
        self.gate = threading.Event()
        self.gate.set()
        self.requests: list[dict[str, Any]] = []
        self.page_size = 100
        self._lock = threading.Lock()

    def list_shards(self, **request: str) -> dict[str, Any]:
        with self._lock:
            self.requests.append(request)
            assert "NextToken" not in request or len(request) == 1, "Kinesis takes a token alone"
            start = int(request.get("NextToken", 0))
            page = [_described(shard) for shard in self.kinesis.shards[start : start + self.page_size]]
            following = start + self.page_size
            more = following < len(self.kinesis.shards)
            return {"Shards": page} | ({"NextToken": str(following)} if more else {})

    def put_records(self, **request: Any) -> dict[str, Any]:
        assert self.gate.wait(30)
        with self._lock:
            self.requests.append(request)
            if self.failures:
                raise self.failures.pop(0)
            taken = [self.kinesis.take(_record(entry)) for entry in request["Records"]]
        results = [{"ShardId": each.shard_id, "SequenceNumber": each.sequence_number} for each in taken]
        return {"Records": results, "FailedRecordCount": 0}

    @property
    def put_requests(self) -> list[dict[str, Any]]:
        return [request for request in self.requests if "Records" in request]

    @property
    def payloads(self) -> list[bytes]:
        return [data for taken in self.kinesis.log for data, _ in taken.user_records]


def client_error(code: str, status: int = 400) -> ClientError:
    error = {"Code": code, "Message": "said so"}
    response: Any = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutRecords")


def _described(shard: Shard) -> dict[str, Any]:
    sequence = {"StartingSequenceNumber": "1"} | ({} if shard.is_open else {"EndingSequenceNumber": "2"})
    parents = dict(zip(("ParentShardId", "AdjacentParentShardId"), sorted(shard.parents), strict=False))
    return {
        "ShardId": shard.shard_id,
        "HashKeyRange": {
            "StartingHashKey": str(shard.hash_range.start),
            "EndingHashKey": str(shard.hash_range.end),
        },
        "SequenceNumberRange": sequence,
        **parents,
    }


def _record(entry: dict[str, Any]) -> KinesisRecord:
    return KinesisRecord(
        [],
        entry["Data"],
        entry["PartitionKey"],
        entry.get("ExplicitHashKey"),
        aggregated=False,
        user_bytes=0,
        completion=Completion(),
    )
