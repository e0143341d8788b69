"""What a way to produce costs in each mode of a stream, and which modes carry the load at all.

A shard takes as much in on-demand streams, where Kinesis splits all but a key. So what no number of shards
helps, no mode carries; what only one mode lacks, only that mode does not.
"""

import math
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.capacity import feasibility
from shard_sizing.model.capacity.demand import Demand, Question
from shard_sizing.model.capacity.sizing import Sizing, size
from shard_sizing.model.cost.break_even import MODES, BreakEven, Mode, ShardsAt, break_evens
from shard_sizing.model.cost.monthly import Costs, Workload, as_measured, as_sent, monthly, packed
from shard_sizing.model.data_files import Limits, RegionPrices
from shard_sizing.model.law.aggregation import Aggregation, aggregated_bytes
from shard_sizing.model.workload.profile import Profile, grown

_MANY: Final = 20  # shards: from there on their number is in proportion to the rate
_MIB: Final = float(2**20)


class Bill(msgspec.Struct, frozen=True):
    """One way to produce.

    Attributes:
        costs: Monthly USD in each mode; where no shard count is enough, provisioned is that of the usual
            formula.
        shards: Shards needed over all streams; None where no count is enough.
        way_out: Why no mode carries it, and what to do then; empty where one may.
        unusable: Why one mode does not carry it, by mode.
        break_evens: The rates at which modes cross, below those at which the heaviest key is too heavy.
    """

    costs: Costs
    shards: int | None
    way_out: str
    unusable: dict[Mode, str]
    break_evens: tuple[BreakEven, ...]

    def carries(self, mode: Mode) -> bool:
        """Return whether a mode carries the load."""
        return not self.way_out and mode not in self.unusable

    @property
    def cheapest(self) -> tuple[Mode, float] | None:
        """The mode that costs least of those that carry it, and what it costs; None where none does."""
        usable: list[tuple[float, Mode]] = [
            (cost, mode)
            for mode in MODES
            if (cost := getattr(self.costs, mode)) is not None and self.carries(mode)
        ]
        return min(usable)[::-1] if usable else None


class Stored(msgspec.Struct, frozen=True):
    """What a bill depends on beside the load: see ``Workload``."""

    retention_hours: int
    streams: int
    long_term_read_gb: float


def bill(
    profile: Profile,
    limits: Limits,
    prices: RegionPrices,
    demand: Demand,
    packing: Aggregation | None,
    stored: Stored,
    *,
    seed: int,
    progress: Callable[[], None],
) -> tuple[Bill, Workload, ShardsAt]:
    """Return what one way to produce costs, the workload of it, and the shards that it takes at other rates.

    Args:
        profile: The workload.
        limits: What shards and streams take.
        prices: One Region's prices.
        demand: What is planned for; its aggregation is of no interest here.
        packing: How producers aggregate, in so far as it was not measured; None for records one by one.
        stored: What else the bill depends on.
        seed: Names the unknown keys.
        progress: Called as by ``size``, twice as often.
    """
    measured = packing is not None and profile.kinesis is not None and profile.aggregated > 0
    if packing is None:
        profile = msgspec.structs.replace(profile, kinesis=None)
    demand = msgspec.structs.replace(demand, aggregation=None if measured else packing)
    found = size(profile, limits, demand, seed=seed, progress=progress)
    shards = found.shards and stored.streams * math.ceil(found.shards / stored.streams)
    billed = shards or found.naive
    load = msgspec.structs.replace(
        as_measured(profile.kinesis, billed)
        if measured and profile.kinesis
        else _as_produced(profile, billed, packing),
        consumers=demand.readers.consumers,
        efo=demand.readers.fan_out,
        retention_hours=stored.retention_hours,
        streams=stored.streams,
        long_term_read_gb=stored.long_term_read_gb,
    )
    slope = _shards_per_record(profile, limits, demand, found, seed, progress)

    def shards_at(rate: float) -> float:
        return max(float(stored.streams), rate * slope)

    committed = limits.advantage_minimum_mib_per_second
    most = found.ceiling * profile.rate / found.rate
    way_out, unusable = _obstacles(profile, limits, demand, found, prices.region, stored.streams)
    crossings = break_evens(load, profile.rate, prices, committed, shards_at, most)
    return Bill(monthly(load, prices, committed), shards, way_out, unusable, crossings), load, shards_at


def _as_produced(profile: Profile, shards: int, packing: Aggregation | None) -> Workload:
    if packing is None:
        return as_sent(profile, shards)
    user_records = np.array([profile.rate / shards])
    records = packing.kinesis_records(user_records, profile.record_bytes)
    volume = aggregated_bytes(user_records, records, profile.record_bytes)
    return packed(float(records[0]) * shards, float(volume[0] / records[0]), shards)


def _shards_per_record(
    profile: Profile, limits: Limits, demand: Demand, found: Sizing, seed: int, progress: Callable[[], None]
) -> float:
    """Return shards for each record a second of the mean, reckoned where there are many of them.

    One shard may be full or nearly idle; only of many does their number follow from the rate.
    """
    full = Question(profile, limits, demand).law.full
    times = min(_MANY * full, 0.8 * found.ceiling) / found.rate
    if found.shards is None or found.shards >= _MANY or times <= 1:
        return (found.shards or found.naive) / profile.rate
    more = size(grown(profile, times, "busier-keys"), limits, demand, seed=seed, progress=progress)
    return (more.shards or found.shards * times) / (profile.rate * times)


def _obstacles(
    profile: Profile, limits: Limits, demand: Demand, found: Sizing, region: str, streams: int
) -> tuple[str, dict[Mode, str]]:
    """Return why no mode carries a load, and why single modes do not."""
    advantage = msgspec.structs.replace(limits, fan_out_consumers=limits.fan_out_consumers_advantage)
    why = feasibility.way_out(Question(profile, advantage, demand))
    unusable: dict[Mode, str] = {}
    if found.shards is None and found.way_out != why:
        unusable["provisioned"] = found.way_out
    if refused := demand.readers.refused(limits):
        unusable["standard"] = refused
    most = limits.standard_most_mib_per_second
    most_mib = most.get(region, most["default"])
    mib = found.rate * profile.record_bytes / _MIB / streams
    if mib > most_mib:
        why_not = (
            f"the planned peak is {mib:,.0f} MiB/s a stream, and on-demand in {region} ends at "
            f"{most_mib:,.0f} unless AWS raises it"
        )
        unusable.setdefault("standard", why_not)
        unusable.setdefault("advantage", why_not)
    return why, unusable
