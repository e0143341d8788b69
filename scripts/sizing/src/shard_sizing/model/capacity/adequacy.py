"""Whether given shards take a workload, and which of two plans a person would run."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from shard_sizing.model.capacity.demand import Question
from shard_sizing.model.capacity.simulate import simulate
from shard_sizing.model.resharding.planner import Plan, targeted_starts

MARGIN: Final = 0.1
"""Where neither plan suffices, targeted cuts have to relieve the busiest shard by this share of its load."""

_KNOWN: Final = 0.9  # of the load
_COLUMNS: Final = {"records": 0, "bytes": 1, "reads": 3}
"""Which of the shares of ``Keys`` each limit counts."""


class Adequacy(msgspec.Struct, frozen=True):
    """How given shards fare: what ``simulate`` says of them, in short.

    Attributes:
        suffices: Whether they take the workload, readers included, in the share of placements wanted.
        fits_in: The share of the placements in which they do, 0 to 1.
        placements: How many were looked at; 1 where it is known where the load lies. What follows is of one
            that is worse than the share wanted.
        busiest: The busiest shard's share of the load, 0 to 1.
        used_p99: Each shard's load over its limit in the second at the 99th percentile, by hash range.
        throttled_seconds: Share of seconds in which any shard throttles, by the stricter reading of the
            limit.
        read_limit_used: The largest share of a shard's read limit that its readers need to keep up.
    """

    suffices: bool
    fits_in: float
    placements: int
    busiest: float
    used_p99: tuple[float, ...]
    throttled_seconds: float
    read_limit_used: float


def cuttable(question: Question) -> bool:
    """Whether enough of the load has a known position for cuts by it to make sense."""
    return question.keys.known >= _KNOWN


def cut(question: Question, shards: int) -> tuple[int, ...]:
    """Return the first hash keys of ranges of about equal load, of what binds; maybe fewer than asked for."""
    keys = question.keys
    return targeted_starts(keys.positions, keys.placed[:, _COLUMNS[question.binding(shards)]], shards)


def adequacy(
    question: Question,
    starts: Sequence[int],
    percent: float,
    seed: int,
    progress: Callable[[], None] = lambda: None,
) -> Adequacy:
    """Hold a demand against shards: see ``simulate``."""
    found = simulate(question, starts, percent, seed, progress)
    return Adequacy(
        suffices=found.enough,
        fits_in=found.fits_in,
        placements=found.placements,
        busiest=max(use.share for use in found.uses),
        used_p99=tuple(use.p99 for use in found.uses),
        throttled_seconds=round(max(each.throttled_seconds for each in found.results), 6),
        read_limit_used=max(use.read_limit_used for use in found.uses),
    )


class Candidate(msgspec.Struct, frozen=True):
    """A plan, and how the shards at its end fare."""

    plan: Plan
    adequacy: Adequacy


def choose(uniform: Candidate, targeted: Candidate | None, quota: int) -> tuple[Candidate, str]:
    """Return the plan to take, and why in words.

    Equal ranges are preferred where they suffice: UpdateShardCount makes them, today and next time.

    Args:
        uniform: Equal ranges; or such as are halved or merged from those there are, which suffice.
        targeted: Ranges of equal load; None where it is not known where the load lies.
        quota: Shards that may be open on the way.
    """
    if uniform.plan.kind == "halving":
        return uniform, "UpdateShardCount alone does not make equal ranges here, and these ranges suffice"
    if targeted is None:
        return uniform, (
            "where the keys lie is not known, which leaves equal ranges (measure the stream to cut by load)"
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
