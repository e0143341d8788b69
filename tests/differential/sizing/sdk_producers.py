"""The SDK's own producers on one stream, in virtual time: what Kinesis records do they make of user records?

The producer's core takes the time as an argument, so a minute of many producers takes a second, and the same
records leave as in a minute of a real process whose calls last as long.
"""

import heapq
from dataclasses import dataclass
from itertools import count, pairwise
from random import Random

import numpy as np

from differential.sizing.shard import HASH_KEYS
from orderstream import ProducerConfig
from orderstream.kinesis.shard import HashRange, Shard
from orderstream.producer.core.messages import (
    Input,
    ListShards,
    MapLoaded,
    Put,
    RequestCompleted,
    SendPutRecords,
    Tick,
    WakeAt,
)
from orderstream.producer.core.pending import PendingRecord
from orderstream.producer.core.pipeline import Pipeline
from orderstream.producer.outcome import Acknowledged


@dataclass(frozen=True, slots=True)
class KinesisRecord:
    """What a producer sent: when, to which shard, how many bytes with the key, and how many user records."""

    at: float
    shard: int
    size: int
    user_records: int


def kinesis_records(
    producers: int,
    rate: float,
    record_bytes: int,
    shards: int,
    *,
    linger: float,
    latency: float,
    seconds: float,
) -> list[KinesisRecord]:
    """Let producers send for some seconds.

    Args:
        producers: How many there are.
        rate: User records a second of all of them together; each record has a key of its own.
        record_bytes: Bytes of a user record, its key included.
        shards: Equal shards of the stream.
        linger: The producers' setting, in seconds.
        latency: How long a PutRecords call takes, in seconds.
        seconds: For how long.
    """
    config = ProducerConfig(linger=linger)
    return [
        record
        for number in range(producers)
        for record in _Producer(config, number, shards, latency).run(rate / producers, record_bytes, seconds)
    ]


class _Producer:
    def __init__(self, config: ProducerConfig, number: int, shards: int, latency: float) -> None:
        self._core = Pipeline(config, Random(number).random)
        self._number, self._latency = number, latency
        starts = [HASH_KEYS * i // shards for i in range(shards)] + [HASH_KEYS]
        ranges = pairwise(starts)
        self._shards = [Shard(str(i), HashRange(low, high - 1)) for i, (low, high) in enumerate(ranges)]
        self._agenda: list[tuple[float, int, Input]] = []
        self._order = count()
        self._wake: float | None = None
        self._sent: list[KinesisRecord] = []

    def run(self, rate: float, record_bytes: int, seconds: float) -> list[KinesisRecord]:
        rng = np.random.default_rng(self._number)
        times = np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))
        for index, at in enumerate(times.tolist()):
            key = f"{self._number}/{index:08d}"
            self._plan(at, Put([PendingRecord(key, bytes(record_bytes - len(key)), None, record_bytes)]))
        self._take(Tick(), 0.0)
        while self._agenda or self._wake is not None:
            if self._wake is not None and (not self._agenda or self._wake < self._agenda[0][0]):
                self._take(Tick(), self._wake)
            else:
                at, _, event = heapq.heappop(self._agenda)
                self._take(event, at)
        return self._sent

    def _plan(self, at: float, event: Input) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), event))

    def _take(self, event: Input, now: float) -> None:
        self._wake = None
        for command in self._core.on(event, now):
            match command:
                case ListShards():
                    self._plan(now, MapLoaded(self._shards))
                case WakeAt():
                    self._wake = max(now, command.at)
                case SendPutRecords():
                    entries = command.entries
                    self._sent += [
                        KinesisRecord(now, int(one.shard_id), one.size, len(one.user_records))
                        for one in entries
                    ]
                    results = [Acknowledged(one.shard_id, "1") for one in entries]
                    self._plan(now + self._latency, RequestCompleted(command.request_id, results))
                case _:
                    pass  # an outcome, or a report of trouble: of no interest here
