"""A small Kinesis stream in virtual time: exact in what the engine relies on, and cheap.

Unlike the fake that is shipped, it can be caught in the middle of things: a listing that shows a reshard half
done, an iterator that is null though the shard goes on, records that retention has taken.
"""

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from orderstream.aggregation import MAX_HASH_KEY

EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ARN = "arn:aws:kinesis:eu-central-1:123456789012:stream/orders"
FIRST_SEQUENCE_NUMBER = 10**20
LISTING_LAGS = 3.0
"""Seconds after a reshard within which a listing may show it half done, or not at all."""
PAGE = 4
A_DAY = 25 * 3600.0
"""Seconds, more than the shortest retention."""


@dataclass
class SimulatedShard:
    shard_id: str
    low: int
    high: int
    opened_at: float
    lowest: int
    """Kinesis' StartingSequenceNumber."""
    parents: tuple[str, ...] = ()
    children: list[str] = field(default_factory=list)
    listed: bool = True
    closed_at: float | None = None
    highest: int | None = None
    """Kinesis' EndingSequenceNumber."""
    first: int = 0
    """Index of the first record that retention has left."""
    numbers: list[int] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    put_at: list[float] = field(default_factory=list)

    @cached_property
    def described_open(self) -> dict[str, Any]:
        """What ListShards says of it while it is open."""
        described: dict[str, Any] = {
            "ShardId": self.shard_id,
            "HashKeyRange": _hash_range(self),
            "SequenceNumberRange": {"StartingSequenceNumber": str(self.lowest)},
        }
        return described | dict(zip(("ParentShardId", "AdjacentParentShardId"), self.parents, strict=False))

    @cached_property
    def described_closed(self) -> dict[str, Any]:
        """What ListShards says of it once it is closed."""
        numbers = self.described_open["SequenceNumberRange"] | {"EndingSequenceNumber": str(self.highest)}
        return self.described_open | {"SequenceNumberRange": numbers}


@dataclass
class StreamTrouble:
    """How often what is odd, as probabilities of a call."""

    half_listed: float = 0.0
    null_iterator: float = 0.0
    expired: float = 0.0


class SimulatedStream:
    """One stream.

    Args:
        shards: How many it begins with.
        clock: Seconds.
        random: What it draws from.
        distributes_itself: Whether its record distribution is AUTO: keys decide nothing.
        refuses_trimmed: Whether it refuses a sequence number that retention has taken, or goes on behind it.
    """

    def __init__(
        self,
        shards: int,
        clock: Callable[[], float],
        random: Random,
        *,
        distributes_itself: bool = False,
        refuses_trimmed: bool = False,
    ) -> None:
        self.shards: dict[str, SimulatedShard] = {}
        self.trouble = StreamTrouble()
        self.distributes_itself = distributes_itself
        self._refuses_trimmed = refuses_trimmed
        self._clock = clock
        self._time = (0.0, EPOCH)
        self.days = 0
        self._random = random
        self._number = FIRST_SEQUENCE_NUMBER
        self.generation = 0
        self._created_at = EPOCH
        self._exists_from = -math.inf
        self._open_first(shards)

    def _open_first(self, shards: int) -> None:
        width = (MAX_HASH_KEY + 1) // shards
        for index in range(shards):
            high = MAX_HASH_KEY if index == shards - 1 else (index + 1) * width - 1
            self._open(index * width, high)

    # What a producer and an operator do

    @property
    def open_shards(self) -> list[SimulatedShard]:
        """In the order of their hash keys."""
        opened = (shard for shard in self.shards.values() if shard.closed_at is None)
        return sorted(opened, key=lambda shard: shard.low)

    @property
    def oldest(self) -> list[SimulatedShard]:
        """The shards from which retention takes next: nothing older than theirs is left."""
        return [
            shard
            for shard in self.shards.values()
            if shard.listed and not any(self.shards[parent].listed for parent in shard.parents)
        ]

    def shard_of(self, hash_key: int) -> SimulatedShard:
        return next(shard for shard in self.open_shards if shard.low <= hash_key <= shard.high)

    def put(self, key: str, data: bytes, hash_key: int) -> tuple[SimulatedShard, int]:
        """Add a record, which has no key if that is empty; returns its shard and its sequence number."""
        shard = self._random.choice(self.open_shards) if self.distributes_itself else self.shard_of(hash_key)
        shard.numbers.append(self._next_number())
        shard.put_at.append(self.seconds())
        shard.records.append(
            {
                "SequenceNumber": str(self._number),
                "Data": data,
                "ApproximateArrivalTimestamp": self.time(),
                **({"PartitionKey": key} if key else {}),
            }
        )
        return shard, self._number

    def _next_number(self) -> int:
        self._number += self._random.randrange(1, 100)
        return self._number

    def time(self) -> dt.datetime:
        seconds = self.seconds()
        if seconds != self._time[0]:
            self._time = seconds, EPOCH + dt.timedelta(seconds=seconds)
        return self._time[1]

    def seconds(self) -> float:
        """The time of day in seconds from EPOCH, which may jump."""
        return self._clock() + self.days * A_DAY

    def sleep_past_retention(self) -> None:
        """A day passes, in which nothing happened: whatever is in the stream is older than retention now."""
        self.days += 1

    def reshard(self) -> None:
        """Split or merge somewhere."""
        opened = self.open_shards
        if len(opened) > 1 and (self._random.random() < 0.5 or len(opened) > 4):
            index = self._random.randrange(len(opened) - 1)
            low, high = opened[index], opened[index + 1]
            child = self._open(low.low, high.high, (low.shard_id, high.shard_id))
            for parent in (low, high):
                self._close(parent, child)
            return
        shard = self._random.choice(opened)
        middle = (shard.low + shard.high) // 2
        lower = self._open(shard.low, middle, (shard.shard_id,))
        upper = self._open(middle + 1, shard.high, (shard.shard_id,))
        self._close(shard, lower, upper)

    def make_anew(self, shards: int, pause: float) -> None:
        """Delete the stream, and create one of the same name: its shards have the ids that the old ones had.

        Args:
            shards: How many it begins with.
            pause: Seconds for which there is no such stream.
        """
        self.generation += 1
        self.shards = {}
        self._exists_from = self._clock() + pause
        self._created_at = self.time() + dt.timedelta(seconds=pause)
        self._open_first(shards)

    @property
    def created_at(self) -> str:
        """When it was created, as the engine notes it."""
        return self._created_at.isoformat()

    @property
    def identity(self) -> str:
        """What tells it from every other one, as leases bear it."""
        return f"{ARN} {self.created_at}"

    @property
    def exists(self) -> bool:
        """Whether there is a stream of this name."""
        return self._clock() >= self._exists_from

    def trim(self, shard: SimulatedShard, keep: int) -> Sequence[int]:
        """Let retention take all records but the last ``keep``; returns the numbers of those that went."""
        before, shard.first = shard.first, max(shard.first, len(shard.numbers) - keep)
        return shard.numbers[before : shard.first]

    def forget(self, shard: SimulatedShard) -> None:
        """Let retention take a closed shard, listing and all."""
        shard.listed = False

    def is_gone(self, shard_id: str, number: int) -> bool:
        """Whether retention has taken a record."""
        shard = self.shards[shard_id]
        return bool(shard.first) and shard.lowest <= number <= shard.numbers[shard.first - 1]

    def _open(self, low: int, high: int, parents: tuple[str, ...] = ()) -> str:
        shard_id = f"shardId-{len(self.shards):012d}"
        self.shards[shard_id] = SimulatedShard(
            shard_id, low, high, self._clock(), self._next_number(), parents
        )
        return shard_id

    def _close(self, shard: SimulatedShard, *children: str) -> None:
        shard.closed_at, shard.highest = self._clock(), self._next_number()
        shard.children += children

    # What a consumer asks

    def list_shards(self, *, seen_at: float) -> list[dict[str, Any]]:
        """What ListShards answers to whoever sees the stream as it was then, at least in part."""
        self._demand_stream("ListShards")
        shown = []
        for shard in self.shards.values():
            if not shard.listed:
                continue
            if shard.opened_at > seen_at and self._random.random() < 0.5:
                break  # nor is anything shown that is younger
            closed = shard.closed_at is not None
            if shard.closed_at is not None and shard.closed_at > seen_at:
                closed = self._random.random() < 0.5
            shown.append(shard.described_closed if closed else shard.described_open)
        return shown

    def summary(self) -> dict[str, Any]:
        """What DescribeStreamSummary answers."""
        self._demand_stream("DescribeStreamSummary")
        return {
            "StreamDescriptionSummary": {
                "StreamARN": ARN,
                "StreamCreationTimestamp": self._created_at,
                "OpenShardCount": len(self.open_shards),
                "RecordDistributionStrategy": "AUTO" if self.distributes_itself else "PARTITION_KEY",
            }
        }

    def iterator(self, request: dict[str, Any]) -> dict[str, Any]:
        """What GetShardIterator answers."""
        shard = self._shard(request["ShardId"], "GetShardIterator")
        number = request.get("StartingSequenceNumber")
        if number is not None and (
            int(number) < shard.lowest
            or (self._refuses_trimmed and self.is_gone(shard.shard_id, int(number)))
        ):
            raise client_error("InvalidArgumentException", "GetShardIterator")
        index = {
            "TRIM_HORIZON": lambda: shard.first,
            "LATEST": lambda: len(shard.numbers),
            "AT_TIMESTAMP": lambda: bisect_left(
                shard.put_at, (request["Timestamp"] - EPOCH).total_seconds() - 1e-6
            ),
            "AT_SEQUENCE_NUMBER": lambda: bisect_left(shard.numbers, int(request["StartingSequenceNumber"])),
            "AFTER_SEQUENCE_NUMBER": lambda: bisect_right(
                shard.numbers, int(request["StartingSequenceNumber"])
            ),
        }[request["ShardIteratorType"]]()
        return {"ShardIterator": f"{self.generation}/{shard.shard_id}/{max(index, shard.first)}"}

    def get_records(self, request: dict[str, Any]) -> dict[str, Any]:
        """What GetRecords answers."""
        generation, shard_id, text = request["ShardIterator"].split("/")
        shard = self._shard(shard_id, "GetRecords")
        if int(generation) != self.generation or self._random.random() < self.trouble.expired:
            raise client_error("ExpiredIteratorException", "GetRecords")
        index = max(int(text), shard.first)
        end = min(index + request["Limit"], len(shard.records))
        behind = int(1000 * (self.seconds() - shard.put_at[end])) if end < len(shard.records) else 0
        response: dict[str, Any] = {"Records": shard.records[index:end], "MillisBehindLatest": behind}
        if shard.closed_at is not None and end == len(shard.records):
            response["ChildShards"] = [_child(self.shards[child]) for child in shard.children]
        elif self._random.random() >= self.trouble.null_iterator:
            response["NextShardIterator"] = f"{generation}/{shard_id}/{end}"
        return response

    def _demand_stream(self, operation: str) -> None:
        if not self.exists:
            raise client_error("ResourceNotFoundException", operation)

    def _shard(self, shard_id: str, operation: str) -> SimulatedShard:
        self._demand_stream(operation)
        if shard_id not in self.shards or not self.shards[shard_id].listed:
            raise client_error("ResourceNotFoundException", operation)
        return self.shards[shard_id]


def client_error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as drawn"}}, operation)


def _hash_range(shard: SimulatedShard) -> dict[str, str]:
    return {"StartingHashKey": str(shard.low), "EndingHashKey": str(shard.high)}


def _child(shard: SimulatedShard) -> dict[str, Any]:
    return {
        "ShardId": shard.shard_id,
        "ParentShards": list(shard.parents),
        "HashKeyRange": _hash_range(shard),
    }
