"""A token bucket in its steady state: how often a second finds too little in it.

The bucket's level is a Markov chain from second to second. Its steady state is solved for, at the mixture of
all bursts; then each burst asks what the second it hits does to that state. Given the burst, shards are taken
to be independent: what they share, the bursts before, makes their levels rise and fall together, so that
seconds with several throttled shards are more frequent, and throttled seconds fewer, than said here.
"""

from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.law.compound import Arrivals, law
from shard_sizing.model.workload.peaks import Floats

_FINE: Final = 8  # bins of the arrivals' law in one of the bucket


class Bucket(msgspec.Struct, frozen=True):
    """A bucket and how its second is divided.

    Attributes:
        depth: What it holds.
        refill: What flows in, a second.
        steps: Steps of a second. One does for small records, whose sum in a second runs evenly; few large
            ones may come before the second's refill has.
        levels: Levels of the bucket that are distinguished, beside empty.
    """

    depth: float
    refill: float
    steps: int
    levels: int


def bucket_for(depth: float, refill: float, lump: float) -> Bucket:
    """Return a bucket divided finely enough for records of a size.

    Args:
        depth: What it holds.
        refill: What flows in, a second.
        lump: Bytes that typically come at once (of a mean byte, the record it is in).
    """
    if lump < refill / 40:
        return Bucket(depth, refill, 1, round(64 * depth / refill))
    # A step refills a whole and even number of levels, so that half of it comes before what arrives.
    steps, level = (8, refill / 64) if depth <= 2 * refill else (4, refill / 8)
    return Bucket(depth, refill, steps, round(depth / level))


class Second(msgspec.Struct, frozen=True):
    """What a second does to a bucket, by rate and by the level that it finds.

    Attributes:
        moves: The chance to come to each level.
        safe: The chance that nothing is refused.
        refused: What is refused in the mean, in the unit of the limit.
    """

    moves: Floats
    safe: Floats
    refused: Floats


def second_of(bucket: Bucket, step: Arrivals) -> Second:
    """Return what a second does to a bucket.

    Args:
        bucket: The bucket.
        step: What arrives in one of its steps, by rate.
    """
    width = bucket.depth / bucket.levels
    counts = _counts(step, width, bucket.levels)
    refill = round(bucket.refill / bucket.steps / width)
    even = bucket.steps == 1
    before = refill if even else (refill - 1) // 2
    levels = np.arange(bucket.levels + 1)
    start = levels + before if even else np.minimum(levels + before, bucket.levels)
    arrived = start[:, None] - np.arange(start.max() + 1)[None, :]
    chances = np.where(arrived >= 0, counts[:, np.clip(arrived, 0, None)], 0.0)
    end = np.minimum(np.arange(start.max() + 1) + refill - before, bucket.levels)
    kept = np.zeros((counts.shape[0], levels.size, levels.size))
    for left, level in enumerate(end.tolist()):
        kept[:, :, level] += chances[:, :, left]
    overflows = np.maximum(1.0 - kept.sum(axis=2), 0.0)
    moves = kept.copy()
    # Small records fill what there is before one is refused; a large one is refused and leaves it.
    moves[:, levels, 0 if even else np.minimum(start + refill - before, bucket.levels)] += overflows
    whole = (step.means / width)[:, None] - np.cumsum(counts * np.arange(counts.shape[1]), axis=1)[:, start]
    lost = np.maximum(whole - start * overflows if even else whole, 0.0) * width
    safe, refused = np.ones((*lost.shape, 1)), np.zeros((*lost.shape, 1))
    for _ in range(bucket.steps):
        safe, refused = kept @ safe, lost[:, :, None] + moves @ refused
    for _ in range(bucket.steps.bit_length() - 1):
        moves = moves @ moves
    return Second(moves, safe[:, :, 0], refused[:, :, 0])


def steady_state(moves: Floats) -> Floats:
    """Return the share of time that a chain is in each state."""
    size = moves.shape[0]
    equations = moves.T - np.eye(size)
    equations[-1] = 1.0
    found = np.linalg.solve(equations, np.eye(size)[-1])
    share = np.maximum(found, 0.0)
    state: Floats = share / share.sum()
    return state


def _counts(step: Arrivals, width: float, levels: int) -> Floats:
    """Return the probabilities of what arrives in a step, in bins of the bucket; the last is all beyond."""
    fine, columns = width / _FINE, 2 * levels + 2
    span = columns * _FINE
    bins = 1 << (4 * span - 1).bit_length()
    probabilities = law(step.capped(columns * width), fine, bins)
    beyond = step.capped(columns * width).means > 3 * columns * width
    index = np.arange(span) / _FINE
    low = np.floor(index).astype(np.int64)
    counts = np.zeros((step.events.size, columns + 1))
    for offset, weights in ((0, 1.0 - (index - low)), (1, index - low)):
        counts[:, offset : offset + columns] += np.add.reduceat(
            probabilities[:, :span] * weights, np.arange(0, span, _FINE), axis=1
        )
    counts[beyond] = 0.0
    counts[:, -1] = np.maximum(1.0 - counts[:, :-1].sum(axis=1), 0.0)
    return counts
