"""From the shards there are to the shards there should be: the exact splits and merges, in order.

    equal ranges wanted (uniform) --+
                                    +--> cuts --> splits first, then merges --> every call exact
    ranges of equal load (targeted)-+

Splits come first, so capacity never dips below what there was; the price is that both halves of the work are
on the stream at once, and those temporary shards count toward the account's quota.
"""

from itertools import pairwise
from typing import Final, Literal

import msgspec
import numpy as np

from shard_sizing.errors import InputError
from shard_sizing.model.profile import Floats

HASH_SPACE: Final = 2**128


class Split(msgspec.Struct, frozen=True, tag="split"):
    """SplitShard of the shard that starts at ``start``; the second child starts at ``at``."""

    start: int
    at: int


class Merge(msgspec.Struct, frozen=True, tag="merge"):
    """MergeShards of the shard that starts at ``start`` with its neighbour that starts at ``neighbour``."""

    start: int
    neighbour: int


Step = Split | Merge


class Plan(msgspec.Struct, frozen=True):
    """Steps from one tiling of the hash space to another.

    Attributes:
        kind: ``uniform`` or ``targeted``.
        starts: First hash key of each shard at the end, ascending.
        steps: What to do, in order; each step is exact.
        peak_shards: Most open shards at any time, to hold against the quota.
    """

    kind: Literal["uniform", "targeted"]
    starts: tuple[int, ...]
    steps: tuple[Step, ...]
    peak_shards: int


def uniform_starts(shards: int) -> tuple[int, ...]:
    """Return the first hash keys of equal ranges."""
    return tuple(HASH_SPACE * i // shards for i in range(shards))


def targeted_starts(places: Floats, weights: Floats, shards: int) -> tuple[int, ...]:
    """Return the first hash keys of ranges of about equal load, cut between keys; maybe fewer than asked for.

    The bound on a range's load is found by bisection: the least at which a left-to-right filling needs
    no more than ``shards`` ranges, which no other cutting can better.
    """
    order = np.argsort(places)
    sorted_places, loads = places[order], np.cumsum(weights[order])
    low, high = float(weights.max()), float(loads[-1])
    for _ in range(40):
        bound = (low + high) / 2
        low, high = (low, bound) if len(_fill(loads, bound)) <= shards else (bound, high)
    cuts = [
        int((float(sorted_places[i - 1]) + float(sorted_places[i])) / 2 * HASH_SPACE)
        for i in _fill(loads, high)[1:]
    ]
    return (0, *sorted({cut for cut in cuts if 0 < cut < HASH_SPACE}))


def _fill(loads: Floats, bound: float) -> list[int]:
    """Return the index of the first key of each range when each takes keys as long as they fit."""
    firsts, before = [0], 0.0
    while True:
        after = int(np.searchsorted(loads, before + bound * (1 + 1e-9), side="right"))
        if after >= loads.size:
            return firsts
        after = max(after, firsts[-1] + 1)
        before = float(loads[after - 1])
        firsts.append(after)


def plan(kind: Literal["uniform", "targeted"], current: tuple[int, ...], target: tuple[int, ...]) -> Plan:
    """Return the steps from one tiling to another.

    Args:
        kind: How the target was found.
        current: First hash keys of the open shards, ascending.
        target: First hash keys wanted, ascending.

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
    open_starts = sorted(current)
    steps: list[Step] = []
    for at in sorted(set(target) - set(current)):
        parent = max(start for start in open_starts if start < at)
        steps.append(Split(parent, at))
        open_starts = sorted([*open_starts, at])
    peak = len(open_starts)
    for gone in sorted(set(current) - set(target)):
        left = max(start for start in open_starts if start < gone)
        steps.append(Merge(left, gone))
        open_starts.remove(gone)
    return Plan(kind, target, tuple(steps), peak)


def update_shard_count_steps(current: int, target: int) -> tuple[int, ...]:
    """Return the counts to ask UpdateShardCount for: each at most twice, at least half of the one before."""
    counts = [current]
    while counts[-1] != target:
        now = counts[-1]
        counts.append(min(target, now * 2) if target > now else max(target, (now + 1) // 2))
    return tuple(counts[1:])
