"""Monthly cost of a stream in each mode, as AWS's price pages reckon it; a GB is 2**30 bytes."""

import math
from collections.abc import Callable
from typing import Final

import msgspec

from shard_sizing.errors import UnknownPriceError
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.profile import Profile

HOURS: Final = 730.0
_SECONDS: Final = HOURS * 3600
_GB: Final = float(2**30)
_MIB: Final = float(2**20)


class Workload(msgspec.Struct, frozen=True):
    """What the bill depends on.

    Attributes:
        records: Kinesis records per second over all streams.
        record_bytes: Bytes of one, after aggregation.
        shards: Provisioned shards; a fraction where costs are only compared.
        consumers: Applications that read everything.
        efo: Whether they read by enhanced fan-out.
        retention_hours: 24 to 8,760.
        streams: On-demand streams.
    """

    records: float
    record_bytes: float
    shards: float
    consumers: int = 1
    efo: bool = False
    retention_hours: int = 24
    streams: int = 1


class Costs(msgspec.Struct, frozen=True):
    """USD a month of 730 hours; None where the Region's prices are not known."""

    provisioned: float | None
    standard: float | None
    advantage: float | None


def packed(profile: Profile, shards: float, pack_bytes: int) -> Workload:
    """Return the workload of a profile whose records travel in aggregates of about ``pack_bytes``."""
    each = max(float(pack_bytes), profile.record_bytes)
    return Workload(profile.rate * profile.record_bytes / each, each, shards)


def monthly(load: Workload, prices: RegionPrices, committed_mib: float) -> Costs:
    """Return what a workload costs in each mode.

    Args:
        load: What is sent, stored and read.
        prices: One Region's prices.
        committed_mib: MiB per second that Advantage bills at least, each in and out.
    """

    def known(cost: Callable[[], float]) -> float | None:
        try:
            return cost()
        except UnknownPriceError:
            return None

    return Costs(
        known(lambda: _provisioned(load, prices)),
        known(lambda: _standard(load, prices)),
        known(lambda: _advantage(load, prices, committed_mib)),
    )


def _stored(load: Workload, prices: RegionPrices, name: str, first_hour: int, last_hour: int) -> float:
    hours = min(load.retention_hours, last_hour) - first_hour
    # What is not stored needs no price: a Region may well lack it.
    return load.records * load.record_bytes * hours * 3600 / _GB * prices[name] if hours > 0 else 0.0


def _provisioned(load: Workload, prices: RegionPrices) -> float:
    units = load.records * _SECONDS * math.ceil(load.record_bytes / 25_000) / 1e6
    per_hour = prices["shard_hour"] + (prices["extended_shard_hour"] if load.retention_hours > 24 else 0.0)
    cost = load.shards * per_hour * HOURS + units * prices["put_million"]
    cost += _stored(load, prices, "long_term_gb_month", 168, 8_760)
    if load.efo:
        read_gb = load.records * load.record_bytes * _SECONDS / _GB
        cost += load.consumers * (read_gb * prices["efo_gb"] + load.shards * prices["efo_shard_hour"] * HOURS)
    return cost


def _standard(load: Workload, prices: RegionPrices) -> float:
    # Each record is rounded up to the next kilobyte.
    in_gb = load.records * math.ceil(load.record_bytes / 1024) * 1024 * _SECONDS / _GB
    out_gb = load.records * load.record_bytes * _SECONDS / _GB * load.consumers
    cost = load.streams * prices["standard_stream_hour"] * HOURS + in_gb * prices["standard_in_gb"]
    cost += out_gb * (prices["standard_efo_gb"] if load.efo else prices["standard_out_gb"])
    cost += _stored(load, prices, "standard_extended_gb_month", 24, 168)
    return cost + _stored(load, prices, "long_term_gb_month", 168, 8_760)


def _advantage(load: Workload, prices: RegionPrices, committed_mib: float) -> float:
    floor_gb = committed_mib * _MIB * _SECONDS / _GB
    in_gb = load.records * math.ceil(load.record_bytes / 1024) * 1024 * _SECONDS / _GB
    out_gb = load.records * load.record_bytes * _SECONDS / _GB * load.consumers
    out_price = prices["advantage_efo_gb"] if load.efo else prices["advantage_out_gb"]
    cost = max(in_gb, floor_gb) * prices["advantage_in_gb"] + max(out_gb, floor_gb) * out_price
    return cost + _stored(load, prices, "advantage_extended_gb_month", 24, 8_760)
