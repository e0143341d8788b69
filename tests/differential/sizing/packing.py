"""Producers that pack user records into aggregates, as the SDK's documents say that it does.

A producer has one aggregate under way to each shard. What arrives meanwhile waits, and goes out together when
the answer is there and the first of it has lingered; earlier if it fills an aggregate. A record that found no
company travels as it is.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from differential.sizing.traffic import Floats, Ints

_FULL = 50 * 1024
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


def pack(
    shard: Ints, at: Floats, size: Ints, producers: Producers, rng: np.random.Generator
) -> tuple[Ints, Floats, Ints]:
    """Return the Kinesis records that user records become: the shard, the time and the bytes of each."""
    slot = shard * producers.count + rng.integers(0, producers.count, at.size)
    order = np.lexsort((at, slot))
    slot, at, size = slot[order], at[order], size[order]
    packed: list[tuple[int, float, int]] = []
    cuts = np.flatnonzero(np.diff(slot)) + 1
    for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), at.size], strict=True):
        of = int(slot[start]) // producers.count if at.size else 0
        packed += [(of, *one) for one in _slot(at[start:end], size[start:end], producers)]
    shards, times, sizes = zip(*packed, strict=True) if packed else ((), (), ())
    return np.array(shards, np.int64), np.array(times, np.float64), np.array(sizes, np.int64)


def _slot(at: Floats, size: Ints, producers: Producers) -> list[tuple[float, int]]:
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
