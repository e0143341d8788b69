"""Monthly cost of a stream in each mode, as AWS's price pages reckon it; a GB is 2**30 bytes."""

from collections.abc import Callable
from typing import Final

import msgspec

from orderstream.aws.billing import PUT_UNIT_BYTES
from shard_sizing.errors import UnknownPriceError
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.workload.profile import KinesisRecords, Profile
from shard_sizing.model.workload.sizes import KIB

KINESIS_PRICES: Final = ("shard_", "put_", "extended_", "long_term_", "efo_", "standard_", "advantage_")
"""How the names of the prices that are used here begin."""

HOURS: Final = 730.0
_SECONDS: Final = HOURS * 3600
_GB: Final = float(2**30)
_MIB: Final = float(2**20)


class Workload(msgspec.Struct, frozen=True):
    """What the bill depends on.

    Attributes:
        records: Kinesis records per second over all streams.
        record_bytes: Mean bytes of one, after aggregation.
        kib_units: Mean of a record's KiB, each record rounded up: what on-demand ingest bills.
        put_units: Mean of a record's PUT payload units, each rounded up: what provisioned streams bill.
        shards: Provisioned shards; a fraction where costs are only compared.
        consumers: Applications that read everything.
        efo: Whether they read by enhanced fan-out.
        retention_hours: 24 to 8,760.
        streams: Streams that share the load.
        long_term_read_gb: GB a month that are read again from beyond seven days.
    """

    records: float
    record_bytes: float
    kib_units: float
    put_units: float
    shards: float
    consumers: int = 1
    efo: bool = False
    retention_hours: int = 24
    streams: int = 1
    long_term_read_gb: float = 0.0


class Costs(msgspec.Struct, frozen=True):
    """USD a month of 730 hours; None where the Region's prices are not known."""

    provisioned: float | None
    standard: float | None
    advantage: float | None


def as_sent(profile: Profile, shards: float) -> Workload:
    """Return the workload of a profile whose records travel one by one."""
    return Workload(profile.rate, profile.record_bytes, profile.kib_units, profile.put_units, shards)


def as_measured(kinesis: KinesisRecords, shards: float) -> Workload:
    """Return the workload of a stream as its Kinesis records were measured."""
    return Workload(kinesis.rate, kinesis.record_bytes, kinesis.kib_units, kinesis.put_units, shards)


def packed(records: float, record_bytes: float, shards: float) -> Workload:
    """Return the workload of aggregates.

    Args:
        records: Aggregates per second.
        record_bytes: Mean bytes of one.
        shards: Provisioned shards.
    """
    kib, put = (_rounded_up(record_bytes, unit) for unit in (KIB, PUT_UNIT_BYTES))
    return Workload(records, record_bytes, kib, put, shards)


def _rounded_up(size: float, unit: int) -> float:
    # Aggregates differ in size, so the last unit is half full on average; below a unit there is only one.
    return max(1.0, size / unit + 0.5)


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


def _long_term(load: Workload, prices: RegionPrices) -> float:
    stored = _stored(load, prices, "long_term_gb_month", 168, 8_760)
    return stored + (load.long_term_read_gb * prices["long_term_read_gb"] if load.long_term_read_gb else 0.0)


def _provisioned(load: Workload, prices: RegionPrices) -> float:
    units = load.records * _SECONDS * load.put_units / 1e6
    per_hour = prices["shard_hour"] + (prices["extended_shard_hour"] if load.retention_hours > 24 else 0.0)
    cost = load.shards * per_hour * HOURS + units * prices["put_million"]
    cost += _long_term(load, prices)
    if load.efo:
        read_gb = load.records * load.record_bytes * _SECONDS / _GB
        cost += load.consumers * (read_gb * prices["efo_gb"] + load.shards * prices["efo_shard_hour"] * HOURS)
    return cost


def _standard(load: Workload, prices: RegionPrices) -> float:
    # Each record is rounded up to the next KiB.
    in_gb = load.records * load.kib_units * KIB * _SECONDS / _GB
    out_gb = load.records * load.record_bytes * _SECONDS / _GB * load.consumers
    cost = load.streams * prices["standard_stream_hour"] * HOURS + in_gb * prices["standard_in_gb"]
    cost += out_gb * (prices["standard_efo_gb"] if load.efo else prices["standard_out_gb"])
    cost += _stored(load, prices, "standard_extended_gb_month", 24, 168)
    return cost + _long_term(load, prices)


def _advantage(load: Workload, prices: RegionPrices, committed_mib: float) -> float:
    floor_gb = committed_mib * _MIB * _SECONDS / _GB
    in_gb = load.records * load.kib_units * KIB * _SECONDS / _GB
    out_gb = load.records * load.record_bytes * _SECONDS / _GB * load.consumers
    out_price = prices["advantage_efo_gb"] if load.efo else prices["advantage_out_gb"]
    cost = max(in_gb, floor_gb) * prices["advantage_in_gb"] + max(out_gb, floor_gb) * out_price
    if load.long_term_read_gb:
        cost += load.long_term_read_gb * prices["advantage_long_term_read_gb"]
    return cost + _stored(load, prices, "advantage_extended_gb_month", 24, 8_760)
