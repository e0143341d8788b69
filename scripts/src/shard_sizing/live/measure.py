"""From a live stream to its profile."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from orderstream.kpl import AggregateCorruptError, UserRecord, deaggregate
from shard_sizing.errors import InputError
from shard_sizing.live.polling import Arrived, ShardReading
from shard_sizing.model.data_files import Limits
from shard_sizing.model.measured import HashCounter, Measured, ShardCounter, ShardLoad
from shard_sizing.model.sampling import Event, sample


@dataclass(slots=True)
class _Seen:
    """What is counted while the sampler pulls the events through."""

    shards: defaultdict[str, ShardCounter] = field(default_factory=lambda: defaultdict(ShardCounter))
    hashes: HashCounter = field(default_factory=HashCounter)
    records: int = 0
    aggregates: int = 0
    corrupt: int = 0
    first: int = 2**62
    last: int = 0


def measure(
    stream: str,
    arrived: Iterable[Arrived],
    shards: Mapping[str, ShardReading],
    limits: Limits,
    throttled_writes: int | None,
) -> Measured:
    """Make a profile of what arrives on a stream; aggregates are opened, and count as what is in them.

    Args:
        stream: The stream's name.
        arrived: Its records, until the measurement is over.
        shards: How far each shard has been read; looked at once the records have come to their end.
        limits: What a shard takes.
        throttled_writes: Writes refused in that time, if known.

    Raises:
        InputError: Nothing was written.
    """
    seen = _Seen()
    events = _user_records(arrived, shards, seen)
    first = next(events, None)
    if first is None:
        raise InputError(
            f"stream {stream}", "nothing was written to it while it was read; measure for longer"
        )
    profile = sample(chain([first], events))
    seconds = seen.last - seen.first + 1
    loads = []
    for reading in sorted(shards.values(), key=lambda shard: (shard.start, shard.shard_id)):
        records, volume, p99, most = seen.shards[reading.shard_id].rates(seen.first, seconds, limits)
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
    aggregated = seen.aggregates / seen.records
    return Measured(
        **{
            **msgspec.structs.asdict(profile),
            "hash_load": seen.hashes.load(limits, aggregated=aggregated > 0.5),
        },
        stream=stream,
        seconds=seconds,
        kinesis_records=seen.records,
        aggregated=aggregated,
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
        seen.records += 1
        seen.first, seen.last = min(seen.first, int(at)), max(seen.last, int(at))
        seen.shards[each.shard_id].add(at, len(data) + len(key.encode()))
        for record in _opened(data, key, seen):
            size = len(record.data) + len(record.partition_key.encode())
            # Kinesis does not tell the explicit hash key that brought a record to a shard not its own.
            astray = not shard.start <= record.hash_key <= shard.end
            seen.hashes.add((shard.start + shard.end) // 2 if astray else record.hash_key, size)
            yield record.partition_key, at, size


def _opened(data: bytes, key: str, seen: _Seen) -> tuple[UserRecord, ...]:
    try:
        opened = deaggregate(data, key)
    except AggregateCorruptError:
        seen.corrupt += 1
        return (UserRecord(key, data),)
    seen.aggregates += opened.aggregated
    return opened.user_records
