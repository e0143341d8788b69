"""Limits and prices: dated data files, the bundled ones or the reader's own."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec

from orderstream.aws.billing import bundled_prices
from shard_sizing.errors import InputError, UnknownPriceError

_T = TypeVar("_T")


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one shard, one stream and one account may do.

    Attributes:
        date: When the figures were gathered.
        source: Where they were read.
        records_per_second: Writes a shard takes.
        bytes_per_second: Bytes a shard takes, keys included.
        read_bytes_per_second: Bytes a shard gives to all shared readers, or to each fan-out consumer.
        reads_per_second: GetRecords calls a shard takes.
        update_shard_count_per_day: UpdateShardCount calls in a rolling 24 hours.
        update_shard_count_most: Shards up to which UpdateShardCount scales a stream.
        reshards_per_second: SplitShard and MergeShards calls an account may start.
        seconds_per_reshard: Shortest and longest usual time of one split or merge.
        advantage_minimum_mib_per_second: What on-demand Advantage commits an account to, each in and out.
        mode_switches_per_day: Changes between provisioned and on-demand in a rolling 24 hours.
        standard_start_mib_per_second: What a new on-demand Standard stream takes.
        standard_most_mib_per_second: What one may grow to, by Region, with ``default`` for all others.
        fan_out_consumers: Enhanced fan-out consumers of one stream.
        fan_out_consumers_advantage: The same with on-demand Advantage.
        shard_quota: Shards by Region, with ``default`` for all others.
        quotas: Default quotas of the services around the stream, by name.
    """

    date: str
    source: str
    records_per_second: int
    bytes_per_second: int
    read_bytes_per_second: int
    reads_per_second: int
    update_shard_count_per_day: int
    update_shard_count_most: int
    reshards_per_second: int
    seconds_per_reshard: tuple[float, float]
    advantage_minimum_mib_per_second: float
    mode_switches_per_day: int
    standard_start_mib_per_second: float
    standard_most_mib_per_second: dict[str, float]
    fan_out_consumers: int
    fan_out_consumers_advantage: int
    shard_quota: dict[str, int]
    quotas: dict[str, float]

    def quota(self, region: str) -> int:
        """Return the shards that an account may have in a Region unless it asked for more."""
        return self.shard_quota.get(region, self.shard_quota["default"])


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure in USD and the name of its source."""

    usd: float
    source: str


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where figures were read, and of which date they are; and whether that is AWS' own list of prices."""

    title: str
    date: str
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class RegionPrices:
    """Prices in one Region, by name; a GB is 2**30 bytes, as AWS's own worked examples reckon.

    Attributes:
        region: The Region.
        figures: What is known of it.
        sources: Where each figure was read.
    """

    region: str
    figures: Mapping[str, Price]
    sources: Mapping[str, Source]

    def __getitem__(self, name: str) -> float:
        """Return a price in USD.

        Raises:
            UnknownPriceError: The file holds no such figure for the Region.
        """
        if name not in self.figures:
            raise UnknownPriceError(name, self.region)
        return self.figures[name].usd

    def is_confirmed(self, name: str) -> bool:
        """Return whether a figure is known, and from AWS' own list of prices."""
        return name in self.figures and self.sources[self.figures[name].source].confirmed

    def cited(self, beginnings: tuple[str, ...]) -> str:
        """Return the sources and dates of the figures whose names begin so, in words."""
        used = sorted({price.source for name, price in self.figures.items() if name.startswith(beginnings)})
        told = "; ".join(f"{self.sources[name].title} ({self.sources[name].date})" for name in used)
        return f"Prices of {self.region}: {told}"


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dated price file: its Regions and where the figures come from."""

    date: str
    sources: dict[str, Source]
    regions: dict[str, dict[str, Price]]

    def __post_init__(self) -> None:
        """Refuse figures that name a source which the file does not describe."""
        named = {price.source for figures in self.regions.values() for price in figures.values()}
        if unknown := sorted(named - set(self.sources)):
            raise ValueError(f"no [sources] entry for {', '.join(unknown)}")

    def region(self, name: str) -> RegionPrices:
        """Return one Region's prices.

        Raises:
            InputError: The file does not know the Region; the message names those it knows.
        """
        if name not in self.regions:
            known = ", ".join(sorted(self.regions))
            raise InputError(f"region {name}", f"no prices known; known are {known}; or give --prices FILE")
        return RegionPrices(name, self.regions[name], self.sources)


def load_limits(path: Path | None = None) -> Limits:
    """Read a limits file, by default the bundled one."""
    return _load(path, "limits.toml", Limits)


def load_prices(path: Path | None = None) -> Prices:
    """Read a price file, by default the bundled one."""
    if path is None:  # one file, bundled where all who reckon in money can read it
        return msgspec.convert(tomllib.loads(bundled_prices()), Prices)
    return _load(path, "prices.toml", Prices)


def _load(path: Path | None, bundled: str, kind: type[_T]) -> _T:
    try:
        text = (path or files("shard_sizing.data") / bundled).read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text), kind)
    except (OSError, ValueError) as error:
        raise InputError(str(path or bundled), f"not a usable data file: {error}") from error
