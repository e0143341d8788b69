"""What given shards do with a workload: how often they throttle, what is rejected, how full each is.

AWS does not say how it enforces a shard's limit. A fixed window counts each second by itself; a token bucket
of one second lets a quiet second pay for a busy one. The truth lies between, so both are reported.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.capacity.demand import TARGET, Question
from shard_sizing.model.capacity.feasibility import way_out
from shard_sizing.model.law.shard_law import ENFORCEMENTS, Enforcement
from shard_sizing.model.law.stream_use import rejected_share, use_of_hottest, use_of_shards
from shard_sizing.model.resharding.planner import HASH_SPACE
from shard_sizing.model.workload.keys import Loads, fall

PLACEMENTS: Final = 200
_MOST_FALLS: Final = 1_000_000  # shards times placements


class Throttling(msgspec.Struct, frozen=True):
    """What was found under one reading of the limit.

    Attributes:
        enforcement: The reading.
        fits_in: Share of the placements in which at most one second in a thousand is throttled.
        throttled_seconds: Share of seconds in which any shard rejects a record, in the placement shown.
        rejected_records: Share of the load rejected at the first attempt, there; retries come on top.
        hottest_p50: Busiest shard's load over its limit, median second, there.
        hottest_p99: The same, 99th percentile.
        hottest_p999: The same, 99.9th percentile; at most 4.
    """

    enforcement: Enforcement
    fits_in: float
    throttled_seconds: float
    rejected_records: float
    hottest_p50: float
    hottest_p99: float
    hottest_p999: float


class ShardUse(msgspec.Struct, frozen=True):
    """One shard's load over the limit that is nearer, in the placement shown.

    Attributes:
        start: Its first hash key, in decimal.
        share: Its share of the whole load, of what binds, 0 to 1.
        p50: Load over the limit in the median second.
        p99: The same, 99th percentile.
        p999: The same, 99.9th percentile; at most 4.
        read_limit_used: Share of its read limit that its readers need to keep up.
    """

    start: str
    share: float
    p50: float
    p99: float
    p999: float
    read_limit_used: float


class Simulated(msgspec.Struct, frozen=True):
    """What a simulation says.

    Attributes:
        shards: How many there are.
        rate: The rate held against them, user records a second.
        at: Its name in the profile.
        exact: Whether there is one placement, because it is known where the load lies.
        placements: How many were looked at; the one shown is worse than ``percent`` of them.
        percent: The share of placements in which the shards are to fit, in per cent.
        fits_in: Share of the placements that fit under both readings, readers included.
        results: Under both readings of the limit.
        uses: Each shard by itself, in the order of their hash ranges.
        way_out: Why no number of shards is enough, and what to do then; empty where one may be.
    """

    shards: int
    rate: float
    at: str
    exact: bool
    placements: int
    percent: float
    fits_in: float
    results: tuple[Throttling, ...]
    uses: tuple[ShardUse, ...]
    way_out: str
    schema: str = "shard-sizing/simulate/3"

    @property
    def enough(self) -> bool:
        """Whether the shards fit in the share of placements that is wanted."""
        return not self.way_out and self.fits_in >= self.percent / 100


STEPS: Final = 3
"""Steps of ``simulate``, for a progress bar."""


def simulate(
    question: Question,
    starts: Sequence[int],
    percent: float,
    seed: int,
    progress: Callable[[], None] = lambda: None,
) -> Simulated:
    """Hold a demand against shards.

    Args:
        question: The demand.
        starts: First hash key of each shard, ascending, the first 0.
        percent: The share of placements in which they are to fit, in per cent.
        seed: Seed for the names of the unknown keys.
        progress: Called after each of ``STEPS`` steps.
    """
    edges = np.array([*(start / HASH_SPACE for start in starts), 1.0])
    exact = question.keys.exact
    placements = 1 if exact else max(50, min(PLACEMENTS, _MOST_FALLS // len(starts)))
    rng = np.random.default_rng((seed, len(starts), 2))
    loads = fall(question.keys, edges, placements, rng)
    throttled = question.law.throttled(loads)
    progress()
    fits = question.fits(loads, throttled)
    progress()
    order = np.argsort(throttled.max(axis=1), kind="stable")
    shown = int(order[min(placements - 1, int(np.ceil(placements * percent / 100)) - 1)]) if not exact else 0
    one = loads.placement(shown)
    hottest = use_of_hottest(question.law, one)
    results = tuple(
        Throttling(
            reading,
            float((throttled[:, index] <= TARGET).mean()),
            float(throttled[shown, index]),
            rejected_share(question.law, one, reading),
            *hottest,
        )
        for index, reading in enumerate(ENFORCEMENTS)
    )
    uses = _uses(question, starts, one)
    progress()
    return Simulated(
        shards=len(starts),
        rate=question.rate,
        at=question.demand.at,
        exact=exact,
        placements=placements,
        percent=percent,
        fits_in=float(fits.all(axis=1).mean()),
        results=results,
        uses=uses,
        way_out=way_out(question),
    )


def _uses(question: Question, starts: Sequence[int], one: Loads) -> tuple[ShardUse, ...]:
    shares = (one.records if question.law.binding == "records" else one.bytes)[0]
    read = question.demand.readers.used(question.volume(one), question.limits)[0]
    rows = zip(starts, shares.tolist(), use_of_shards(question.law, one).tolist(), read.tolist(), strict=True)
    return tuple(
        ShardUse(str(start), round(share, 6), round(p50, 4), round(p99, 4), round(p999, 4), round(used, 4))
        for start, share, (p50, p99, p999), used in rows
    )
