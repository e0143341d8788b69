"""Whether given shards take a workload, and which of two plans a person would run."""

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.capacity.demand import TARGET, Question
from shard_sizing.model.law.stream_use import QUANTILES, use_of_shards
from shard_sizing.model.resharding.planner import HASH_SPACE, Plan
from shard_sizing.model.workload.keys import fall

MARGIN: Final = 0.1
"""Where neither plan suffices, targeted cuts have to relieve the busiest shard by this share of its load."""

_ENOUGH: Final = 0.9  # of the placements, as of ``size``
_KNOWN: Final = 0.9  # of the load
_PLACEMENTS: Final = 50  # sets of made-up names, where the real ones are not known


class Adequacy(msgspec.Struct, frozen=True):
    """How given shards fare.

    Attributes:
        busiest: The busiest shard's share of the load, 0 to 1; the median where placements are made up.
        used_p99: Each shard's load over its limit in the second at the 99th percentile, by hash range; where
            placements are made up, in one that is worse than nine of ten.
        throttled_seconds: Share of seconds in which any shard throttles, by the stricter reading of the
            limit; the worst of all placements.
        placements: Sets of key names that were tried; 1 where the real placement is known.
        fits_in: Those of them in which the shards suffice.
    """

    busiest: float
    used_p99: tuple[float, ...]
    throttled_seconds: float
    placements: int
    fits_in: int

    @property
    def suffices(self) -> bool:
        """Whether the shards take the workload in nine of ten placements that were tried."""
        return self.fits_in >= _ENOUGH * self.placements


def cuttable(question: Question) -> bool:
    """Whether enough of the load has a known place for cuts by it to make sense."""
    return question.keys.known >= _KNOWN


def adequacy(question: Question, starts: Sequence[int], seed: int) -> Adequacy:
    """Hold a workload against shards that begin at given keys.

    Args:
        question: The workload, at the peak that is planned for.
        starts: First hash key of each shard, ascending.
        seed: Makes the same answer come out again.
    """
    placements = 1 if question.keys.exact else _PLACEMENTS
    edges = np.array([*(start / HASH_SPACE for start in starts), 1.0])
    loads = fall(question.keys, edges, placements, np.random.default_rng((seed, len(starts), 3)))
    throttled = question.law.throttled(loads).max(axis=1)
    shown = int(np.argsort(throttled, kind="stable")[math.ceil(_ENOUGH * placements) - 1])
    used = use_of_shards(question.law, loads.placement(shown))[:, QUANTILES.index(0.99)]
    share = loads.records if question.law.binding == "records" else loads.bytes
    return Adequacy(
        round(float(np.median(share.max(axis=1))), 6),
        tuple(used.round(4).tolist()),
        round(float(throttled.max()), 6),
        placements,
        int((throttled <= TARGET).sum()),
    )


class Candidate(msgspec.Struct, frozen=True):
    """A plan, and how the shards at its end fare."""

    plan: Plan
    adequacy: Adequacy


def choose(uniform: Candidate, targeted: Candidate | None, quota: int) -> tuple[Candidate, str]:
    """Return the plan to take, and why in words.

    Equal ranges are preferred where they suffice: UpdateShardCount makes them, today and next time.

    Args:
        uniform: Equal ranges.
        targeted: Ranges of equal load; None where it is not known where the load lies.
        quota: Shards that may be open on the way.
    """
    if targeted is None:
        return uniform, (
            "where the keys lie is not known, which leaves equal ranges; measure the stream to cut by load"
        )
    if uniform.plan.peak_shards > quota >= targeted.plan.peak_shards:
        return targeted, "the way to equal ranges exceeds the quota"
    if targeted.plan.peak_shards > quota >= uniform.plan.peak_shards:
        return uniform, "the way to targeted cuts exceeds the quota"
    if uniform.adequacy.suffices:
        return uniform, "equal ranges suffice"
    if targeted.adequacy.suffices:
        return targeted, "equal ranges would throttle, targeted cuts do not"
    if targeted.adequacy.busiest <= (1 - MARGIN) * uniform.adequacy.busiest:
        return targeted, "targeted cuts relieve the busiest shard"
    return uniform, "targeted cuts would hardly relieve the busiest shard"
