"""Producers that pack user records into aggregates, as the SDK's documents say that it does.

A producer has one aggregate under way to each shard. What arrives meanwhile waits, and goes out together when
the answer is there and the first of it has lingered; earlier if it fills an aggregate. A record that found no
company travels as it is.

``pack_one_by_one`` is the definition; ``pack`` does the same for all producers and shards at once.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np

from differential.sizing.traffic import Floats, Ints

_FULL: Final = 50 * 1024
_HEAD, _EACH = 25, 8  # bytes of an aggregate's frame, and of a record's entry in it with a key of its own


@dataclass(frozen=True, slots=True)
class Producers:
    """Who sends.

    Attributes:
        count: How many there are; each record comes from any of them.
        linger: How long a record waits for company at least, in seconds.
        latency: How long a PutRecords call takes, in seconds.
    """

    count: int
    linger: float
    latency: float


@dataclass(frozen=True, slots=True)
class MostPacked:
    """What packing does to user records at most.

    Attributes:
        rate: Kinesis records a second on a shard, of all producers, beside one more of each.
        closing: Bytes that close another aggregate before it has lingered.
        frame: Bytes of an aggregate beside its records.
        entry: Bytes of a record's entry in it.
        late: Seconds that a record waits, unless more than an aggregate waits with it.
    """

    rate: float
    closing: float
    frame: int = _HEAD
    entry: int = _EACH
    late: float = 0.0


def most_packed(producers: Producers) -> MostPacked:
    """Return the most that these producers make of their user records.

    Two aggregates of a producer are a call apart, and a linger unless one is full; of two that follow each
    other, the second with what did not fit into the first, the records fill one.
    """
    lingers = producers.linger > producers.latency
    return MostPacked(
        producers.count / max(producers.linger, producers.latency),
        _FULL / 2 if lingers else float("inf"),
        late=producers.linger + 2 * producers.latency,
    )


def pack(
    shard: Ints, at: Floats, size: Ints, producers: Producers, rng: np.random.Generator
) -> tuple[Ints, Floats, Ints]:
    """Return the Kinesis records that user records become: the shard, the time and the bytes of each.

    Each user record is of any producer.
    """
    return pack_of(shard, rng.integers(0, producers.count, at.size), at, size, producers)


def pack_of(
    shard: Ints, producer: Ints, at: Floats, size: Ints, producers: Producers
) -> tuple[Ints, Floats, Ints]:
    """Do as ``pack`` with user records whose producers are known."""
    if not at.size:
        return shard, at, size
    queue = shard * producers.count + producer
    order = np.lexsort((at, queue))
    queue, at, size = queue[order], at[order], size[order]
    begins = np.flatnonzero(np.diff(queue, prepend=queue[0] - 1))
    ends = np.append(begins[1:], at.size)
    # Each queue has hours of its own, so that one search finds a position in any of them.
    apart = float(np.ceil(at.max() + producers.linger + 2.0))
    number = np.repeat(np.arange(begins.size), ends - begins)
    clock = at + number * apart
    volume = np.concatenate([[0], np.cumsum(size)])
    first, free = begins, np.full(begins.size, -np.inf)
    sent: list[tuple[Ints, Floats, Ints]] = []
    while first.size:
        full = np.minimum(np.searchsorted(volume, volume[first] + _FULL, side="right") - 1, ends)
        # The record that no longer fits closes the aggregate, which then need not linger.
        closes = np.where(full < ends, clock[np.minimum(full, at.size - 1)], np.inf)
        leaves = np.maximum(
            np.maximum(free, clock[first]), np.minimum(clock[first] + producers.linger, closes)
        )
        end = np.maximum(first + 1, np.minimum(np.searchsorted(clock, leaves, side="right"), full))
        count, payload = end - first, volume[end] - volume[first]
        whole = np.where(count == 1, payload, payload + _HEAD + _EACH * count)
        sent.append((queue[first] // producers.count, leaves - number[first] * apart, whole))
        left = end < ends
        first, ends, free = end[left], ends[left], (leaves + producers.latency)[left]
    shards, times, sizes = zip(*sent, strict=True)
    return np.concatenate(shards), np.concatenate(times), np.concatenate(sizes)


def pack_one_by_one(
    shard: Ints, producer: Ints, at: Floats, size: Ints, producers: Producers
) -> list[tuple[int, float, int]]:
    """Return each Kinesis record's shard, time and bytes, one shard and producer after the other."""
    packed: list[tuple[int, float, int]] = []
    for one in range(int(shard.max(initial=-1)) + 1):
        for other in range(producers.count):
            these = np.flatnonzero((shard == one) & (producer == other))
            these = these[np.argsort(at[these], kind="stable")]
            packed += [(one, *each) for each in _queue(at[these], size[these], producers)]
    return packed


def _queue(at: Floats, size: Ints, producers: Producers) -> list[tuple[float, int]]:
    times, volume = at.tolist(), [0, *np.cumsum(size).tolist()]
    sent, first, free = [], 0, 0.0
    while first < len(times):
        full = bisect_right(volume, volume[first] + _FULL) - 1
        # The record that no longer fits closes the aggregate, which then need not linger.
        closes = times[full] if full < len(times) else float("inf")
        leaves = max(free, times[first], min(times[first] + producers.linger, closes))
        end = max(first + 1, min(bisect_right(times, leaves), full))
        count, payload = end - first, volume[end] - volume[first]
        sent.append((leaves, payload if count == 1 else payload + _HEAD + _EACH * count))
        first, free = end, leaves + producers.latency
    return sent
