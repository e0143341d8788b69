"""From the shards there are to the shards there should be: the exact splits and merges, in order.

    equal ranges (uniform) ----------+
                                     +--> cuts --> splits and merges, every call exact
    ranges of equal load (targeted) -+

Splits come first where the quota has room for them, so that capacity never dips. Where it has not, splits and
merges alternate, one range of the target after the other; even then no shard is ever wider than a shard that
there was or a shard that is wanted.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec
import numpy as np

from shard_sizing.errors import InputError
from shard_sizing.model.workload.peaks import Floats

HASH_SPACE: Final = 2**128


class Split(msgspec.Struct, frozen=True, tag="split"):
    """SplitShard of the shard that starts at ``start``; the second child starts at ``at``."""

    start: int
    at: int


class Merge(msgspec.Struct, frozen=True, tag="merge"):
    """MergeShards of the shard that starts at ``start`` with its neighbour that starts at ``neighbour``."""

    start: int
    neighbour: int


class UpdateCount(msgspec.Struct, frozen=True, tag="update_count"):
    """UpdateShardCount to so many equal shards; Kinesis splits and merges by itself."""

    shards: int


Step = Split | Merge | UpdateCount
Kind = Literal["uniform", "halving", "targeted"]


class Plan(msgspec.Struct, frozen=True):
    """Steps from one tiling of the hash space to another.

    Attributes:
        kind: ``uniform``, ``halving`` or ``targeted``.
        starts: First hash key of each shard at the end, ascending.
        steps: What to do, in order; each step is exact.
        peak_shards: Most open shards at any time, to hold against the quota; what UpdateShardCount opens
            for a short time beyond the larger count is not known.
    """

    kind: Kind
    starts: tuple[int, ...]
    steps: tuple[Step, ...]
    peak_shards: int


def uniform_starts(shards: int) -> tuple[int, ...]:
    """Return the first hash keys of equal ranges."""
    return tuple(HASH_SPACE * i // shards for i in range(shards))


def targeted_starts(positions: Floats, weights: Floats, shards: int) -> tuple[int, ...]:
    """Return the first hash keys of ranges of about equal load, cut between keys; maybe fewer than asked for.

    The bound on a range's load is found by bisection: the least at which a left-to-right filling needs
    no more than ``shards`` ranges, which no other cutting can better.
    """
    order = np.argsort(positions)
    sorted_positions, loads = positions[order], np.cumsum(weights[order])
    low, high = float(weights.max()), float(loads[-1])
    for _ in range(40):
        bound = (low + high) / 2
        low, high = (low, bound) if len(fill(loads, bound)) <= shards else (bound, high)
    cuts = [
        int((float(sorted_positions[i - 1]) + float(sorted_positions[i])) / 2 * HASH_SPACE)
        for i in fill(loads, high)[1:]
    ]
    return (0, *sorted({cut for cut in cuts if 0 < cut < HASH_SPACE}))


def fill(loads: Floats, bound: float) -> list[int]:
    """Return the index of the first key of each range when each takes keys as long as they fit.

    Args:
        loads: The keys' loads by position, added up.
        bound: The most that a range may hold; a single key may weigh more.
    """
    firsts, before = [0], 0.0
    ends = loads.data  # single look-ups, of which numpy makes ten times the work
    while True:
        after = bisect_right(ends, before + bound * (1 + 1e-9), firsts[-1] + 1)
        if after >= loads.size:
            return firsts
        before = ends[after - 1]
        firsts.append(after)


def snapped_starts(
    current: Sequence[int], target: Sequence[int], shards: int | None = None
) -> tuple[int, ...]:
    """Return the target with each cut moved onto the boundary that is there already, if it is next to it.

    Kinesis and this module may round the same equal ranges differently by a few of 2**128 hash keys: no
    reason to split a shard of a few hash keys off.

    Args:
        current: First hash keys of the open shards, ascending.
        target: First hash keys wanted.
        shards: How many shards share the hash space, which says what is near; by default the target's.
    """
    tolerance = HASH_SPACE // (shards or len(target)) // 1_000_000
    snapped = []
    for cut in target:
        at = bisect_left(current, cut - tolerance)
        near = at < len(current) and current[at] <= cut + tolerance
        snapped.append(current[at] if near else cut)
    return tuple(snapped)


def plan(
    kind: Kind,
    current: tuple[int, ...],
    target: tuple[int, ...],
    quota: int | None = None,
) -> Plan:
    """Return the splits and merges from one tiling to another.

    Args:
        kind: How the target was found.
        current: First hash keys of the open shards, ascending.
        target: First hash keys wanted, ascending.
        quota: Shards that may be open; where all splits together would exceed it, merges come between them.
            The plan that comes out may exceed it nonetheless: see ``peak_shards``.

    Raises:
        InputError: Either does not tile the hash space.
    """
    for name, starts in (("current", current), ("target", target)):
        if (
            not starts
            or starts[0] != 0
            or starts[-1] >= HASH_SPACE
            or any(a >= b for a, b in pairwise(starts))
        ):
            raise InputError(f"{name} shards", "their hash ranges do not tile the hash space")
    wanted, gone = sorted(set(target) - set(current)), sorted(set(current) - set(target))
    boundaries: Sequence[int] = (*wanted, *gone)
    if quota is not None and len(current) + len(wanted) > quota:
        boundaries = tuple(_interleaved(current, target))
    open_starts, steps, peak = list(current), list[Step](), len(current)
    present = set(current)
    for boundary in boundaries:
        at = bisect_left(open_starts, boundary)
        left = open_starts[at - 1]
        if boundary in present:
            steps.append(Merge(left, boundary))
            del open_starts[at]
        else:
            steps.append(Split(left, boundary))
            open_starts.insert(at, boundary)
            peak = max(peak, len(open_starts))
    return Plan(kind, target, tuple(steps), peak)


def _interleaved(current: Sequence[int], target: Sequence[int]) -> Iterator[int]:
    """Yield the boundaries to make or to remove, so that about as few shards as possible are open at once.

    The ranges of the target are finished one by one: first both ends are made, where they are missing, then
    all boundaries inside are removed. Ranges that need the least room and free the most come first, those
    that only have to be split off come last. So at most two more shards are open than before or at the end.
    """
    ends, present = (*target, HASH_SPACE), {*current, HASH_SPACE}
    inside: dict[int, list[int]] = {}
    for boundary in sorted(set(current) - set(target)):
        inside.setdefault(bisect_left(target, boundary) - 1, []).append(boundary)

    def urgency(number: int) -> tuple[bool, int, int, int]:
        missing = sum(end not in present for end in ends[number : number + 2])
        frees = len(inside[number])
        return missing > frees, missing, -frees, number

    waiting = [urgency(number) for number in inside]
    heapq.heapify(waiting)
    while waiting:
        entry = heapq.heappop(waiting)
        number = entry[-1]
        if number not in inside or entry != urgency(number):
            continue  # finished, or a neighbour has made one of its ends: then it waits elsewhere in the heap
        for end in ends[number : number + 2]:
            if end not in present:
                present.add(end)
                yield end
        yield from inside.pop(number)
        for neighbour in (number - 1, number + 1):
            if neighbour in inside:
                heapq.heappush(waiting, urgency(neighbour))
    yield from (end for end in target if end not in present)
