"""From a live stream to its profile."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import msgspec

from orderstream.aggregation import AggregateCorruptError, UserRecord, deaggregate
from shard_sizing.errors import InputError
from shard_sizing.live.polling import Arrived, ShardReading
from shard_sizing.model.data_files import Limits
from shard_sizing.model.sampling.sampler import Event, sample
from shard_sizing.model.workload.measured import (
    HashCounter,
    KinesisCounter,
    Measured,
    ShardCounter,
    ShardLoad,
)


@dataclass(slots=True)
class _Seen:
    """What is counted while the sampler pulls the events through."""

    shards: defaultdict[str, ShardCounter] = field(default_factory=lambda: defaultdict(ShardCounter))
    hashes: HashCounter = field(default_factory=HashCounter)
    kinesis: KinesisCounter = field(default_factory=KinesisCounter)
    corrupt: int = 0


class Reader(Protocol):
    """A reading of a stream."""

    @property
    def shards(self) -> Mapping[str, ShardReading]:
        """How far each shard has been read; complete once the records have come to their end."""

    @property
    def span(self) -> tuple[int, int]:
        """First and last second whose records are read; known once reading has begun."""


def measure(
    stream: str,
    reader: Reader,
    arrived: Iterable[Arrived],
    limits: Limits,
    throttled_writes: int | None,
) -> Measured:
    """Make a profile of what arrives on a stream; aggregates are deaggregated, and count as what is in them.

    Args:
        stream: The stream's name.
        reader: What reads it.
        arrived: Its records, until the measurement is over.
        limits: What a shard takes.
        throttled_writes: Writes refused in that time, if known.

    Raises:
        InputError: Nothing was written.
    """
    seen = _Seen()
    events = _user_records(arrived, reader.shards, seen)
    first = next(events, None)
    if first is None:
        raise InputError(
            f"stream {stream}", "nothing was written to it while it was read; measure for longer"
        )
    begin, end = reader.span
    profile = sample(chain([first], events), span=(begin, end))
    loads = []
    for reading in sorted(reader.shards.values(), key=lambda shard: (shard.start, shard.shard_id)):
        records, volume, p99, most = seen.shards[reading.shard_id].rates(begin, end - begin + 1, limits)
        loads.append(
            ShardLoad(
                shard_id=reading.shard_id,
                start=str(reading.start),
                end=str(reading.end),
                records=records,
                bytes=volume,
                used_p99=p99,
                used_max=most,
                behind_millis=reading.behind,
                read_throttled=reading.throttled,
            )
        )
    return Measured(
        **{
            **msgspec.structs.asdict(profile),
            "hash_load": seen.hashes.load(),
            "kinesis": seen.kinesis.found(reader.span),
        },
        stream=stream,
        corrupt=seen.corrupt,
        throttled_writes=throttled_writes,
        shards=tuple(loads),
    )


def _user_records(
    arrived: Iterable[Arrived], shards: Mapping[str, ShardReading], seen: _Seen
) -> Iterator[Event]:
    for each in arrived:
        shard = shards[each.shard_id]
        data, key = each.record["Data"], each.record["PartitionKey"]
        at = each.record["ApproximateArrivalTimestamp"].timestamp()
        wire_size = len(data) + len(key.encode())
        seen.shards[each.shard_id].add(at, wire_size)
        user_records, aggregate = _deaggregated(data, key, seen)
        seen.kinesis.add(at, wire_size, aggregate=aggregate)
        for record in user_records:
            size = len(record.data) + len(record.partition_key.encode())
            # Kinesis does not return the explicit hash key that sent a record to another shard.
            astray = not shard.start <= record.hash_key <= shard.end
            seen.hashes.add((shard.start + shard.end) // 2 if astray else record.hash_key, size)
            yield record.partition_key, at, size


def _deaggregated(data: bytes, key: str, seen: _Seen) -> tuple[tuple[UserRecord, ...], bool]:
    try:
        found = deaggregate(data, key)
    except AggregateCorruptError:
        seen.corrupt += 1
        return (UserRecord(key, data),), False
    return found.user_records, found.aggregated
