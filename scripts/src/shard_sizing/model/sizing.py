"""How many shards a workload needs: the usual formula beside what placement, chance and bursts ask for."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Final, Literal

import msgspec
import numpy as np

from shard_sizing.model.data_files import Limits
from shard_sizing.model.peaks import Floats
from shard_sizing.model.placement import key_positions, uniform_loads
from shard_sizing.model.profile import Profile
from shard_sizing.model.shares import record_shares
from shard_sizing.model.simulate import (
    ENFORCEMENTS,
    Enforcement,
    Throttling,
    burst_factors,
    shard_capacity,
    simulate,
)

TARGET: Final = 0.001  # a stream fits if at most this share of its seconds is throttled
_MOST_SHARDS: Final = 4_000  # beyond this a look at every count would take many minutes


class Need(msgspec.Struct, frozen=True):
    """Shards needed under one reading of the limit, over the name sets; None where no count is enough."""

    enforcement: Enforcement
    low: int | None
    median: int | None
    high: int | None


class Sizing(msgspec.Struct, frozen=True):
    """What ``size`` finds.

    Attributes:
        verdict: ``fits`` or ``infeasible``.
        naive: Shards by the usual formula.
        needs: Shards needed, by each reading of the limit.
        shards: The count advised: the highest median of both readings.
        binding: The limit that binds: ``records``, ``bytes`` or ``reads``.
        ceiling: Records per second of the whole stream at which its heaviest key alone overloads a shard.
        at_naive: What happens at the naive count.
        at_advised: What happens at the advised count, if there is one.
        way_out: Why no shard count is enough, and what to do then.
    """

    verdict: Literal["fits", "infeasible"]
    naive: int
    needs: tuple[Need, ...]
    shards: int | None
    binding: str
    ceiling: float
    at_naive: Throttling
    at_advised: Throttling | None
    way_out: str
    schema: str = "shard-sizing/size/1"


def naive_shards(profile: Profile, limits: Limits, consumers: int, efo: bool, aggregate: bool) -> int:
    """Return the usual formula's answer: the largest of records, bytes in and bytes out, rounded up."""
    bytes_in = profile.rate * profile.record_bytes
    by_records = 0.0 if aggregate else profile.rate / limits.records_per_second
    return max(
        1,
        math.ceil(by_records),
        math.ceil(bytes_in / limits.bytes_per_second),
        read_shards(profile, limits, consumers, efo),
    )


def read_shards(profile: Profile, limits: Limits, consumers: int, efo: bool) -> int:
    """Return the shards that shared readers ask for; fan-out consumers have a share of their own each."""
    readers = 1 if efo else max(1, consumers)
    return math.ceil(profile.rate * profile.record_bytes * readers / limits.read_bytes_per_second)


def ceiling(profile: Profile, capacity: float, enforcement: Enforcement = "fixed-window") -> float:
    """Return the stream's records per second at which the heaviest key alone throttles too many seconds.

    No number of shards lifts it: a key lives on one shard.
    """
    heaviest = float(record_shares(profile).max())
    quantiles = (np.arange(4_000) + 0.5) / 4_000
    sigma = math.sqrt(math.log1p(profile.burst_cv**2))
    normal = NormalDist()
    bursts = [math.exp(sigma * normal.inv_cdf(q) - sigma * sigma / 2) for q in quantiles] if sigma else [1.0]
    room = capacity * (2.0 if enforcement == "token-bucket" else 1.0)

    def throttled(rate: float) -> bool:
        means = [rate * heaviest * burst for burst in bursts]
        return sum(normal.cdf((mean - room) / math.sqrt(mean)) for mean in means) / len(means) > TARGET

    low, high = 0.0, room / heaviest
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if throttled(middle) else (middle, high)
    # A bucket lets single seconds reach twice the limit, never the mean beyond it.
    return min(low, capacity / heaviest)


def size(
    profile: Profile,
    limits: Limits,
    *,
    seed: int = 1,
    name_sets: int = 5,
    seconds: int = 3_000,
    consumers: int = 1,
    efo: bool = False,
    aggregate: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> Sizing:
    """Find the shards a workload needs.

    Args:
        profile: The workload, growth included.
        limits: What a shard takes.
        seed: Makes the same answer come out again.
        name_sets: Sets of key names tried; the answer is the range over them.
        seconds: Simulated seconds for each trial.
        consumers: Applications that read the stream.
        efo: Whether they read by enhanced fan-out.
        aggregate: Whether the producers pack records together, so that only bytes count.
        progress: Called after each name set.
    """
    weights = record_shares(profile)
    capacity, binding = shard_capacity(profile, limits, aggregate)
    naive = naive_shards(profile, limits, consumers, efo, aggregate)
    reads = read_shards(profile, limits, consumers, efo)
    found: dict[Enforcement, list[int | None]] = {enforcement: [] for enforcement in ENFORCEMENTS}
    overloading_key = False
    for name_set in range(name_sets):
        places = key_positions(profile, weights.size, name_set)
        for enforcement in ENFORCEMENTS:
            rng_seed = (seed, name_set)
            need = _need(profile, places, weights, capacity, enforcement, rng_seed, seconds)
            overloading_key |= need is None
            found[enforcement].append(max(need, reads) if need and need <= _MOST_SHARDS else None)
        progress()
    needs = tuple(_range(enforcement, answers) for enforcement, answers in found.items())
    medians = [need.median for need in needs if need.median is not None]
    shards = max(medians) if len(medians) == len(needs) else None
    places = key_positions(profile, weights.size, 0)

    def at(count: int) -> Throttling:
        rng = np.random.default_rng((seed, 0))
        bursts = burst_factors(profile.burst_cv, seconds, rng)
        loads = uniform_loads(places, weights, count)
        return simulate(loads, profile.rate, capacity, bursts, rng, "fixed-window")

    return Sizing(
        verdict="fits" if shards else "infeasible",
        naive=naive,
        needs=needs,
        shards=shards,
        binding="reads" if shards and shards == reads else binding,
        ceiling=ceiling(profile, capacity),
        at_naive=at(naive),
        at_advised=at(shards) if shards else None,
        way_out=""
        if shards
        else _way_out(
            float(weights[0]) if overloading_key else None,
            profile,
            capacity,
            packing_helps=binding == "records",
        ),
    )


def _need(
    profile: Profile,
    places: Floats,
    weights: Floats,
    capacity: float,
    enforcement: Enforcement,
    seed: tuple[int, int],
    seconds: int,
) -> int | None:
    """Count the shards, at most one more than are tried; None where the heaviest key is too much for one."""
    if profile.rate > ceiling(profile, capacity, enforcement):
        return None
    rng = np.random.default_rng(seed)
    bursts = burst_factors(profile.burst_cv, seconds, rng)
    # What the heaviest key alone does to its shard, no count undoes.
    if not _fits(weights[:1], profile.rate, capacity, bursts, seed, enforcement):
        return None
    count = max(1, math.ceil(profile.rate / capacity))
    # A quick look at the busiest shard spares the simulation of counts that plainly do not fit.
    screen = float(np.quantile(bursts, 1 - TARGET)) if enforcement == "fixed-window" else 1.0
    while count <= _MOST_SHARDS:
        loads = uniform_loads(places, weights, count)
        if float(loads.max()) * profile.rate * screen <= capacity:
            # Only shards that ever come near their limit can throttle a second.
            near = loads[loads * profile.rate * float(bursts.max()) > capacity * 0.7]
            if not near.size or _fits(near, profile.rate, capacity, bursts, seed, enforcement):
                return count
        count += 1 if count < 200 else count // 100
    return _MOST_SHARDS + 1


def _fits(
    loads: Floats,
    rate: float,
    capacity: float,
    bursts: Floats,
    seed: tuple[int, int],
    enforcement: Enforcement,
) -> bool:
    rng = np.random.default_rng((*seed, loads.size))
    return simulate(loads, rate, capacity, bursts, rng, enforcement).throttled_seconds <= TARGET


def _range(enforcement: Enforcement, answers: list[int | None]) -> Need:
    # None, no count is enough, ranks above every count.
    ranked = sorted(answers, key=lambda n: math.inf if n is None else n)
    return Need(enforcement, ranked[0], ranked[len(ranked) // 2], ranked[-1])


def _way_out(heaviest: float | None, profile: Profile, capacity: float, *, packing_helps: bool) -> str:
    """Say why no count is enough, and what is; ``heaviest`` is the share of a key that overloads a shard."""
    pack = "aggregate records, so that only bytes count; " if packing_helps else ""
    if heaviest is None:
        return (
            f"{_MOST_SHARDS:,}, the most looked at, are too few; {pack}spread the keys over several streams"
        )
    salts = math.ceil(2 * heaviest * profile.rate * (1 + 3 * profile.burst_cv) / capacity)
    return (
        f"the heaviest key alone peaks over a shard; {pack}salt it over at least {max(2, salts)} sub-keys, "
        "which gives up its order across sub-keys; or key by a finer entity, such as the order in place of "
        "the customer"
    )
