"""Where two modes cost the same, and what prevents a change from one to the other."""

import math
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import Final, Literal, get_args

import msgspec
import numpy as np

from shard_sizing.model.cost.monthly import Workload, monthly
from shard_sizing.model.data_files import Limits, RegionPrices
from shard_sizing.model.percent import percent
from shard_sizing.model.workload.profile import Profile

Mode = Literal["provisioned", "standard", "advantage"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
_RATES: Final = np.geomspace(1.0, 1e7, 71)
_MIB: Final = float(2**20)


class BreakEven(msgspec.Struct, frozen=True):
    """At this rate of user records a second ``below`` stops to be the cheaper of the two modes."""

    below: Mode
    above: Mode
    records_per_second: float


ShardsAt = Callable[[float], float]
"""Returns the shards that a workload takes at a mean rate of user records a second."""


def scaled(load: Workload, times: float, shards: float) -> Workload:
    """Return a workload at a multiple of its rate, on so many shards."""
    return msgspec.structs.replace(load, records=load.records * times, shards=shards)


def break_evens(
    load: Workload,
    rate: float,
    prices: RegionPrices,
    committed_mib: float,
    shards_at: ShardsAt,
    most: float = math.inf,
) -> tuple[BreakEven, ...]:
    """Return where modes cross between 1 and 10 million records a second, cheapest rate first.

    Args:
        load: The workload at ``rate``.
        rate: User records per second that the workload represents; several may share a Kinesis record.
        prices: One Region's prices; a mode whose price is not known crosses nothing.
        committed_mib: MiB per second that Advantage bills at least.
        shards_at: The shards that it takes at other rates.
        most: The rate beyond which one key is too heavy for a shard: no mode carries that.
    """
    found = []
    for one, other in combinations(MODES, 2):

        def dearer(at: float, one: Mode = one, other: Mode = other) -> float:
            costs = monthly(scaled(load, at / rate, shards_at(at)), prices, committed_mib)
            first, second = getattr(costs, one), getattr(costs, other)
            return 0.0 if first is None or second is None else float(first - second)

        for low, high in pairwise(_RATES.tolist()):
            if dearer(low) * dearer(high) >= 0:
                continue
            below, above = (one, other) if dearer(low) < 0 else (other, one)
            found.append(BreakEven(below, above, round(_root(dearer, low, high), 1)))
    found = [crossing for crossing in found if crossing.records_per_second <= most]
    return tuple(sorted(found, key=lambda crossing: crossing.records_per_second))


def _root(difference: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(30):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if difference(low) * difference(middle) > 0 else (low, middle)
    return low


def mode_warnings(
    profile: Profile, peak: float, streams: int, limits: Limits, shards: int | None, region: str
) -> tuple[str, ...]:
    """Return what a bill does not say: warm-up, switches, quotas and the account's minimum.

    Args:
        profile: The workload.
        peak: The user records a second that are planned for.
        streams: Streams that share the load.
        limits: What streams take.
        shards: Provisioned shards, if any number is enough.
        region: The Region's name.
    """
    start, records = limits.standard_start_mib_per_second, peak / streams
    start_records = start * limits.records_per_second
    mib = records * profile.record_bytes / _MIB
    told = [
        f"A stream changes its mode at most {limits.mode_switches_per_day} times in 24 hours.",
        "On-demand Standard throttles traffic that more than doubles within 15 minutes of its 30-day peak.",
    ]
    if mib > start or records > start_records:
        told.append(
            f"A new on-demand Standard stream starts at {start:g} MiB/s and {start_records:,.0f} records/s, "
            f"and the planned peak is {mib:,.1f} MiB/s and {records:,.0f} records/s a stream: warm it up, or "
            "begin provisioned and change over."
        )
    if shards is not None and shards > limits.quota(region):
        told.append(
            f"{shards:,} shards are over the usual quota of {region}, {limits.quota(region):,}: ask for more."
        )
    committed = limits.advantage_minimum_mib_per_second
    mean = profile.rate * profile.record_bytes / _MIB
    told.append(
        f"Advantage is for a whole account and Region and bills at least {committed:g} MiB/s in and out for "
        f"at least 24 hours; this load alone fills {percent(min(1.0, mean / committed))} of that."
    )
    return tuple(told)
