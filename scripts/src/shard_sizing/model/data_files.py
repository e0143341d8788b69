"""Limits and prices: dated data files, the bundled ones or the reader's own."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec

from shard_sizing.errors import InputError

_T = TypeVar("_T")


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one shard, one stream and one account may do.

    Attributes:
        date: When the figures were gathered.
        source: Where they were read.
        records_per_second: Writes a shard takes.
        bytes_per_second: Bytes a shard takes, keys included.
        read_bytes_per_second: Bytes a shard gives to all shared readers, or to each fan-out consumer.
        reads_per_second: GetRecords calls a shard answers.
        update_shard_count_per_day: UpdateShardCount calls in a rolling 24 hours.
        reshards_per_second: SplitShard and MergeShards calls an account may start.
        seconds_per_reshard: Shortest and longest usual time of one split or merge.
        shard_quota: Shards by Region, with ``default`` for all others.
    """

    date: str
    source: str
    records_per_second: int
    bytes_per_second: int
    read_bytes_per_second: int
    reads_per_second: int
    update_shard_count_per_day: int
    reshards_per_second: int
    seconds_per_reshard: tuple[float, float]
    shard_quota: dict[str, int]

    def quota(self, region: str) -> int:
        """Return the shards that an account may have in a Region unless it asked for more."""
        return self.shard_quota.get(region, self.shard_quota["default"])


class RegionPrices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD in one Region; a GB is 2**30 bytes, as AWS's own worked examples reckon."""

    shard_hour: float
    put_million: float
    extended_shard_hour: float
    long_term_gb_month: float
    efo_gb: float
    efo_shard_hour: float
    standard_stream_hour: float
    standard_in_gb: float
    standard_out_gb: float
    standard_efo_gb: float
    standard_extended_gb_month: float
    advantage_in_gb: float
    advantage_out_gb: float
    advantage_efo_gb: float
    advantage_extended_gb_month: float
    advantage_minimum_mib_per_second: float


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dated price file: its Regions and where the figures come from."""

    date: str
    source: str
    regions: dict[str, RegionPrices]

    def region(self, name: str) -> RegionPrices:
        """Return one Region's prices.

        Raises:
            InputError: The file does not know the Region; the message names those it knows.
        """
        if name not in self.regions:
            known = ", ".join(sorted(self.regions))
            raise InputError(f"region {name}", f"no prices known; known are {known}; or give --prices FILE")
        return self.regions[name]


def load_limits(path: Path | None = None) -> Limits:
    """Read a limits file, by default the bundled one."""
    return _load(path, "limits.toml", Limits)


def load_prices(path: Path | None = None) -> Prices:
    """Read a price file, by default the bundled one."""
    return _load(path, "prices.toml", Prices)


def _load(path: Path | None, bundled: str, kind: type[_T]) -> _T:
    try:
        text = (path or files("shard_sizing.data") / bundled).read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text), kind)
    except (OSError, ValueError) as error:
        raise InputError(str(path or bundled), f"not a usable data file: {error}") from error
