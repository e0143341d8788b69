"""Monte-Carlo of a stream: how many of its seconds are throttled, under both readings of the limit.

AWS does not say how it enforces a shard's limit. A fixed window counts each second by itself; a token bucket
of one second lets a quiet second pay for a busy one. The truth lies between, so both are reckoned.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from shard_sizing.model.data_files import Limits
from shard_sizing.model.peaks import Floats
from shard_sizing.model.profile import Profile

Enforcement = Literal["fixed-window", "token-bucket"]
ENFORCEMENTS: tuple[Enforcement, ...] = ("token-bucket", "fixed-window")


class Throttling(msgspec.Struct, frozen=True):
    """What a simulation found.

    Attributes:
        enforcement: How the limit was read.
        throttled_seconds: Share of seconds in which any shard rejected a record.
        rejected_records: Share of all records rejected at the first attempt; retries are not simulated.
        hottest_p50: Busiest shard's load over its limit, median second.
        hottest_p99: The same, 99th percentile.
        hottest_p999: The same, 99.9th percentile.
    """

    enforcement: Enforcement
    throttled_seconds: float
    rejected_records: float
    hottest_p50: float
    hottest_p99: float
    hottest_p999: float


def shard_capacity(
    profile: Profile, limits: Limits, aggregate: bool
) -> tuple[float, Literal["records", "bytes"]]:
    """Return the records per second that a shard takes of this workload, and which limit binds."""
    by_bytes = limits.bytes_per_second / profile.record_bytes
    if aggregate or by_bytes < limits.records_per_second:
        return by_bytes, "bytes"
    return float(limits.records_per_second), "records"


def burst_factors(cv: float, seconds: int, rng: np.random.Generator) -> Floats:
    """Return one factor per second, lognormal with mean 1 and the given coefficient of variation."""
    if cv == 0:
        return np.ones(seconds)
    sigma = float(np.sqrt(np.log1p(cv * cv)))
    return rng.lognormal(-sigma * sigma / 2, sigma, seconds)


def simulate(
    loads: Floats,
    rate: float,
    capacity: float,
    bursts: Floats,
    rng: np.random.Generator,
    enforcement: Enforcement,
) -> Throttling:
    """Play a stream second by second: Poisson arrivals on each shard, one burst factor for all of them.

    Args:
        loads: Each shard's share of the load; keys with Poisson arrivals add up to Poisson shards.
        rate: Mean records per second on the whole stream.
        capacity: Records per second that a shard takes.
        bursts: The factor of each second.
        rng: Seeded randomness.
        enforcement: How the limit is read.
    """
    seconds = bursts.size
    rejected = np.zeros(seconds)
    hottest = np.zeros(seconds)
    arrived = 0.0
    # Blocks of shards bound the memory of a thousand of them to a few dozen megabytes.
    for block in np.array_split(loads, max(1, loads.size // 256)):
        arrivals = rng.poisson(bursts[:, None] * (block * rate)[None, :]).astype(np.float64)
        arrived += float(arrivals.sum())
        hottest = np.maximum(hottest, arrivals.max(axis=1))
        if enforcement == "fixed-window":
            rejected += np.maximum(arrivals - capacity, 0.0).sum(axis=1)
        else:
            rejected += _token_bucket(arrivals, capacity)
    used = np.percentile(hottest / capacity, [50, 99, 99.9])
    return Throttling(
        enforcement,
        float((rejected > 0).mean()),
        float(rejected.sum()) / max(1.0, arrived),
        *(round(float(x), 4) for x in used),
    )


class ShardUse(msgspec.Struct, frozen=True):
    """One shard's load over its limit.

    Attributes:
        start: Its first hash key, in decimal.
        share: Its share of the whole load, 0 to 1.
        p50: Load over the limit in the median second.
        p99: The same, 99th percentile.
        p999: The same, 99.9th percentile.
    """

    start: str
    share: float
    p50: float
    p99: float
    p999: float


def shard_uses(
    starts: Sequence[int],
    loads: Floats,
    rate: float,
    capacity: float,
    bursts: Floats,
    rng: np.random.Generator,
) -> tuple[ShardUse, ...]:
    """Play each shard by itself; arguments as for ``simulate``, and the shards' first hash keys."""
    uses = []
    for start, load in zip(starts, loads.tolist(), strict=True):
        arrivals = rng.poisson(bursts * (load * rate)) / capacity
        p50, p99, p999 = (round(float(x), 4) for x in np.percentile(arrivals, [50, 99, 99.9]))
        uses.append(ShardUse(str(start), round(load, 6), p50, p99, p999))
    return tuple(uses)


def _token_bucket(arrivals: Floats, capacity: float) -> Floats:
    tokens = np.full(arrivals.shape[1], capacity)
    rejected = np.zeros(arrivals.shape[0])
    for second, arrived in enumerate(arrivals):
        balance = tokens + capacity - arrived
        rejected[second] = np.maximum(-balance, 0.0).sum()
        tokens = np.clip(balance, 0.0, capacity)
    return rejected
