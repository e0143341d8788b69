"""Monthly cost of a stream in each mode, as AWS's price pages reckon it; a GB is 2**30 bytes."""

import math
from typing import Final

import msgspec

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
        shards: Provisioned shards.
        consumers: Applications that read everything.
        efo: Whether they read by enhanced fan-out.
        retention_hours: 24 to 8,760.
        streams: On-demand streams.
    """

    records: float
    record_bytes: float
    shards: int
    consumers: int = 1
    efo: bool = False
    retention_hours: int = 24
    streams: int = 1


class Costs(msgspec.Struct, frozen=True):
    """USD a month of 730 hours."""

    provisioned: float
    standard: float
    advantage: float


def packed(profile: Profile, shards: int, pack_bytes: int) -> Workload:
    """Return the workload of a profile whose records travel in aggregates of about ``pack_bytes``."""
    each = max(float(pack_bytes), profile.record_bytes)
    return Workload(profile.rate * profile.record_bytes / each, each, shards)


def monthly(load: Workload, prices: RegionPrices) -> Costs:
    """Return what a workload costs in each mode."""
    return Costs(_provisioned(load, prices), _standard(load, prices), _advantage(load, prices))


def _stored_gb(load: Workload, first_hour: int, last_hour: int) -> float:
    hours = max(0, min(load.retention_hours, last_hour) - first_hour)
    return load.records * load.record_bytes * hours * 3600 / _GB


def _provisioned(load: Workload, prices: RegionPrices) -> float:
    units = load.records * _SECONDS * math.ceil(load.record_bytes / 25_000) / 1e6
    per_hour = prices.shard_hour + (prices.extended_shard_hour if load.retention_hours > 24 else 0.0)
    cost = load.shards * per_hour * HOURS + units * prices.put_million
    cost += _stored_gb(load, 168, 8_760) * prices.long_term_gb_month
    if load.efo:
        read_gb = load.records * load.record_bytes * _SECONDS / _GB
        cost += load.consumers * (read_gb * prices.efo_gb + load.shards * prices.efo_shard_hour * HOURS)
    return cost


def _standard(load: Workload, prices: RegionPrices) -> float:
    # Each record is rounded up to the next kilobyte.
    in_gb = load.records * math.ceil(load.record_bytes / 1024) * 1024 * _SECONDS / _GB
    out_gb = load.records * load.record_bytes * _SECONDS / _GB * load.consumers
    cost = load.streams * prices.standard_stream_hour * HOURS + in_gb * prices.standard_in_gb
    cost += out_gb * (prices.standard_efo_gb if load.efo else prices.standard_out_gb)
    cost += _stored_gb(load, 24, 168) * prices.standard_extended_gb_month
    return cost + _stored_gb(load, 168, 8_760) * prices.long_term_gb_month


def _advantage(load: Workload, prices: RegionPrices) -> float:
    floor_gb = prices.advantage_minimum_mib_per_second * _MIB * _SECONDS / _GB
    in_gb = load.records * math.ceil(load.record_bytes / 1024) * 1024 * _SECONDS / _GB
    out_gb = load.records * load.record_bytes * _SECONDS / _GB * load.consumers
    out_price = prices.advantage_efo_gb if load.efo else prices.advantage_out_gb
    cost = max(in_gb, floor_gb) * prices.advantage_in_gb + max(out_gb, floor_gb) * out_price
    return cost + _stored_gb(load, 24, 8_760) * prices.advantage_extended_gb_month
