"""How many shards a workload needs: a number that fits in a share of placements, not a lucky one."""

import math
from collections.abc import Callable
from typing import Final, Literal

import msgspec
import numpy as np

from shard_sizing.model.capacity import feasibility
from shard_sizing.model.capacity.advice import notes, too_many
from shard_sizing.model.capacity.demand import TARGET, Binding, Demand, Question, planned_peak
from shard_sizing.model.capacity.readers import catch_up_times
from shard_sizing.model.capacity.targeted import MOST_SHARDS, targeted_shards
from shard_sizing.model.capacity.trials import Bools, Trials
from shard_sizing.model.data_files import Limits
from shard_sizing.model.law.shard_law import ENFORCEMENTS, Enforcement
from shard_sizing.model.workload.keys import fall
from shard_sizing.model.workload.profile import Profile

PERCENT: Final = 90.0
_STRICTER: Final = ENFORCEMENTS.index("fixed-window")
_BESIDE: Final = (50.0, 99.0)
_CUTS: Final = 3  # placements for which targeted cuts are tried; cut by load, placements hardly differ
_ALIKE: Final = 1_000  # shards beyond which they do not
_LOOKED_AT: Final = 25  # placements from which an outlook is computed


class Need(msgspec.Struct, frozen=True):
    """Shards that fit in a share of placements under one reading; None where no number does.

    Attributes:
        enforcement: The reading of the limits.
        percent: The share of placements in per cent.
        shards: The number.
    """

    enforcement: Enforcement
    percent: float
    shards: int | None


class Outlook(msgspec.Struct, frozen=True):
    """What a number of shards does.

    Attributes:
        shards: The number.
        fits_in: Share of the placements tried in which it fits under every reading.
        placements: How many were tried.
        throttled_seconds: Share of seconds in which any shard is throttled, fixed window, median placement.
        read_limit_used: Share of its read limit that the busiest shard's readers use, median placement; 0
            without readers.
        catch_up: Times an outage after which these readers have made up for it; None if never.
    """

    shards: int
    fits_in: float
    placements: int
    throttled_seconds: float
    read_limit_used: float
    catch_up: float | None


class Sizing(msgspec.Struct, frozen=True):
    """What ``size`` finds.

    Attributes:
        verdict: ``fits`` or ``infeasible``.
        at: The name of the rate planned for.
        rate: That rate, user records a second.
        mean_rate: The mean rate of the workload.
        percent: The share of placements wanted, in per cent.
        exact: Whether there is one placement, because every key or the measured load has a known position.
        shards: The number advised: it fits under every reading.
        needs: The numbers by reading and share of placements; where ``exact``, for the one placement.
        targeted: The number if ranges are cut by the load, under the stricter reading.
        naive: The number by the usual formula.
        binding: The limit that binds: ``records``, ``bytes`` or ``reads``.
        ceiling: Records per second of the whole stream at which its heaviest key alone overloads a shard.
        at_naive: What the usual number does; None beyond what any quota allows.
        at_advised: What the number advised does, if there is one.
        way_out: Why no number of shards is enough, and what to do then.
        notes: What else a planner must know.
    """

    verdict: Literal["fits", "infeasible"]
    at: str
    rate: float
    mean_rate: float
    percent: float
    exact: bool
    shards: int | None
    needs: tuple[Need, ...]
    targeted: int | None
    naive: int
    binding: Binding
    ceiling: float
    at_naive: Outlook | None
    at_advised: Outlook | None
    way_out: str
    notes: tuple[str, ...] = ()
    schema: str = "shard-sizing/size/2"


def size(
    profile: Profile,
    limits: Limits,
    demand: Demand | None = None,
    *,
    percent: float = PERCENT,
    seed: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> Sizing:
    """Find the shards a workload needs.

    Args:
        profile: The workload, growth included.
        limits: What a shard takes.
        demand: What is planned for; by default the workload's usual peak, read by one application.
        percent: The share of placements in which the shards are to fit, in per cent, below 100.
        seed: Seed for the names of the unknown keys; the same seed gives the same result.
        progress: Called after each of ``STEPS`` steps.
    """
    demand = Demand(at=planned_peak(profile)) if demand is None else demand
    question = Question(profile, limits, demand)
    trials = Trials(lambda shards, count, rng: _attempt(question, shards, count, rng), 2, seed)
    way_out, stuck = feasibility.way_out(question), feasibility.overloaded(question)
    # One reading may have a result where the other has none; what is refused has none by either.
    barred = bool(feasibility.refusal(question)) or (bool(way_out) and not any(stuck))
    lowest = _lowest(question)
    progress()
    percents = sorted({percent, *_BESIDE})
    needs = []
    for index, reading in enumerate(ENFORCEMENTS):
        for each in percents:
            possible = not barred and not stuck[index]
            found = _need(question, trials, lowest, index, each / 100) if possible else None
            needs.append(Need(reading, each, found))
            progress()
    wanted = [need.shards for need in needs if need.percent == percent]
    shards = None if None in wanted else max(each for each in wanted if each is not None)
    if shards is None and not way_out:
        way_out = too_many(question)
    rng = np.random.default_rng((seed, 0))
    cuts = [
        targeted_shards(question, _STRICTER, rng)
        for _ in range(1 if question.keys.exact or (shards or 0) > _ALIKE else _CUTS)
        if shards is not None
    ]
    progress()
    naive = naive_shards(question)
    return Sizing(
        verdict="fits" if shards else "infeasible",
        at=demand.at,
        rate=question.rate,
        mean_rate=profile.rate,
        percent=percent,
        exact=question.keys.exact,
        shards=shards,
        needs=tuple(needs),
        targeted=None if not cuts or None in cuts else max(cut for cut in cuts if cut is not None),
        naive=naive,
        binding=question.binding(shards),
        ceiling=ceiling(question),
        at_naive=_outlook(question, trials, naive, seed) if naive <= MOST_SHARDS else None,
        at_advised=_outlook(question, trials, shards, seed) if shards else None,
        way_out=way_out if shards is None else "",
        notes=notes(question, fits=shards is not None),
    )


STEPS: Final = 8
"""Steps of ``size``, for a progress bar, at the usual share of placements."""


def naive_shards(question: Question) -> int:
    """Return the usual formula's result: the largest of records, bytes in and bytes out, rounded up."""
    limits, readers = question.limits, question.demand.readers
    volume = question.rate * question.law.traffic.record_bytes
    records = 0.0 if question.law.traffic.aggregation else question.rate / limits.records_per_second
    read = volume * readers.sharing / limits.read_bytes_per_second
    return max(1, math.ceil(max(records, volume / limits.bytes_per_second, read) - 1e-9))


def ceiling(question: Question) -> float:
    """Return the stream's records per second at which its heaviest keys alone throttle too many seconds.

    No number of shards lifts it: a key lives on one shard.
    """
    apart = question.keys.apart()
    low, high = 0.0, question.law.full * 4 / max(float(apart.records.max()), float(apart.bytes.max()))
    for _ in range(30):
        middle = (low + high) / 2
        within = float(question.law.throttled(apart, middle)[0, _STRICTER]) <= TARGET
        low, high = (middle, high) if within else (low, middle)
    return low


def _attempt(question: Question, shards: int, placements: int, rng: np.random.Generator) -> Bools:
    if not question.keys.exact:
        return question.fits(fall(question.keys, shards, placements, rng))
    return np.repeat(question.fits(fall(question.keys, shards, 1, rng)), placements, axis=0)


def _lowest(question: Question) -> int:
    """Return a number below which none fits: the mean load alone is too much, or its readers fall behind."""
    readers = question.demand.readers
    volume = float(question.law.volume(np.array([question.rate]))[0])
    read = volume * readers.sharing / question.limits.read_bytes_per_second / readers.most_used
    return max(1, math.ceil(question.rate / question.law.full - 1e-9), math.ceil(read - 1e-9))


def _need(question: Question, trials: Trials, lowest: int, reading: int, wanted: float) -> int | None:
    if not question.keys.exact:
        return trials.least(lowest, MOST_SHARDS, reading, wanted)
    # The one placement there is: each number either fits or does not, regardless of larger and smaller ones.
    shards = lowest
    while shards <= MOST_SHARDS:
        if trials.share(shards, reading)[0] == 1.0:
            return shards
        shards += 1 if shards < 200 else shards // 100
    return None


def _outlook(question: Question, trials: Trials, shards: int, seed: int) -> Outlook:
    """Say what a number of shards does, from placements of its own."""
    shares = [trials.share(shards, index) for index in range(len(ENFORCEMENTS))]
    rng = np.random.default_rng((seed, shards, 1))
    loads = fall(question.keys, shards, 1 if question.keys.exact else _LOOKED_AT, rng)
    used = question.demand.readers.used(question.volume(loads), question.limits).max(axis=1)
    median = float(np.median(used))
    again = catch_up_times(median)
    return Outlook(
        shards,
        fits_in=min(share for share, _ in shares),
        placements=1 if question.keys.exact else min(tried for _, tried in shares),
        throttled_seconds=float(np.median(question.law.throttled(loads)[:, _STRICTER])),
        read_limit_used=median,
        catch_up=None if math.isinf(again) else again,
    )
