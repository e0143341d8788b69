"""One point of the property grid: does a count keep its promise on names that nobody has seen?

What reaches a shard is a Poisson stream of records of their own sizes, as its keys' streams added up. Most
seconds of most shards cannot throttle: where Chernoff's bound leaves less than one chance in a hundred
million, nothing is drawn. All else is played record by record.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from differential.sizing.packing import Producers, pack
from differential.sizing.screen import SLOTS, coming, screened_buckets, screened_windows
from differential.sizing.shard import BYTES, MIB, RECORDS, TANK, counted
from differential.sizing.steady import throttled_share
from differential.sizing.stream import Played, play_buckets, play_windows
from differential.sizing.traffic import LARGEST, Floats, Traffic, factors, shard_of_keys, sizes

Reading = Literal["fixed-window", "token-bucket"]
READINGS: Final[tuple[Reading, ...]] = ("fixed-window", "token-bucket")

PROMISE: Final = 0.001
"""The share of seconds that may throttle."""

_LOOK: Final = 3_000  # seconds
_LOOKS: Final = 4
_CHEAP: Final = 300_000  # records: where they are rare, looks go on for so many, each as long as all before
_TOO_MANY: Final = PROMISE * _LOOK * _LOOKS  # seconds that throttle, beyond which no later look can help
_MANY_KEYS: Final = 100_000
_NEVER: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the grid: a workload, and who packs it into aggregates, if anybody does."""

    traffic: Traffic
    producers: Producers | None = None

    def options(self) -> list[str]:
        """Return the options of the command line that say the same."""
        return [
            *(word for name, value in _figures(self) for word in (f"--{name}", value)),
            *(("--aggregate",) if self.producers else ()),
            *(("--max-record-kib", str(self.largest // 1_024)) if self.largest > MIB else ()),
        ]

    @property
    def largest(self) -> int:
        """The stream's maximum record size in bytes, raised where the mean needs it."""
        return LARGEST if self.traffic.bytes > BYTES else MIB

    @property
    def alike(self) -> bool:
        """Whether records are all of one size that a second takes, and come steadily and by themselves."""
        traffic = self.traffic
        return not (self.producers or traffic.bytes_cv or traffic.burst_cv) and traffic.bytes <= MIB

    @property
    def even(self) -> bool:
        """Whether placements are nearly the same, as many keys of equal weight are."""
        return not self.traffic.zipf and self.traffic.keys >= _MANY_KEYS

    def __str__(self) -> str:
        """Return what differs from 500 B records on 100,000 even keys at a steady rate."""
        usual = set(_figures(Point(Traffic(0))))
        return ", ".join(f"{name} {value}" for name, value in _figures(self) if (name, value) not in usual)


def _figures(point: Point) -> Iterator[tuple[str, str]]:
    traffic, producers = point.traffic, point.producers
    for name, value in (
        ("rate", traffic.rate),
        ("keys", traffic.keys),
        ("zipf", traffic.zipf),
        ("bytes", traffic.bytes),
        ("bytes-cv", traffic.bytes_cv),
        ("burst-cv", traffic.burst_cv),
    ):
        yield name, f"{value:.9g}"
    if producers is not None:
        yield "producers", str(producers.count)
        yield "linger", f"{producers.linger:g}"
        yield "latency", f"{producers.latency:g}"


@dataclass(frozen=True, slots=True)
class Play:
    """What looks at a placement found.

    Attributes:
        throttled: Seconds that throttle.
        looked: Seconds that were played.
        keeps: Whether no more throttle than is promised.
        clear: Whether that is certain, by three standard deviations or by the law; else it is what was found.
    """

    throttled: int
    looked: int
    keeps: bool
    clear: bool


def keeps_promise(point: Point, shards: int, placement: int, reading: Reading) -> bool:
    """Whether a placement throttles in no more seconds than is promised."""
    return play_placement(point, shards, placement, reading).keeps


def play_placement(point: Point, shards: int, placement: int, reading: Reading) -> Play:
    """Play a placement.

    Where one look is not clear, by three standard deviations, it looks again. Where no look is and the law is
    known, the law decides.
    """
    where = shard_of_keys(point.traffic.keys, shards, placement)
    loads = np.bincount(where, point.traffic.shares(), shards) * point.traffic.rate
    return _looks(point, loads, reading, np.random.default_rng((placement, shards)))


def keeps_alone(point: Point, reading: Reading) -> bool:
    """Whether the heaviest key keeps the promise with a shard of its own, which is the best it can get."""
    loads = point.traffic.shares()[:1] * point.traffic.rate
    return _looks(point, loads, reading, np.random.default_rng(1)).keeps


def _looks(point: Point, loads: Floats, reading: Reading, rng: np.random.Generator) -> Play:
    throttled = looked = 0
    cheap = _CHEAP / max(point.traffic.rate, 1e-9)
    while looked < max(_LOOKS * _LOOK, cheap):
        seconds = _LOOK if looked < _LOOKS * _LOOK else looked
        enough = math.inf if cheap > _LOOKS * _LOOK else _TOO_MANY - throttled
        throttled += _throttled(point, loads, reading, rng, seconds, enough)
        looked += seconds
        expected = PROMISE * looked
        if abs(throttled - expected) >= 3 * math.sqrt(expected) or not throttled:
            return Play(throttled, looked, throttled <= PROMISE * looked, clear=True)
    if reading == "fixed-window" and point.alike:
        size = counted(np.array([round(point.traffic.bytes)]))
        return Play(throttled, looked, throttled_share(loads, int(size[0])) <= PROMISE, clear=True)
    return Play(throttled, looked, throttled <= PROMISE * looked, clear=False)


def _throttled(
    point: Point, loads: Floats, reading: Reading, rng: np.random.Generator, seconds: int, enough: float
) -> int:
    """Return how many seconds of a look throttle; beyond ``enough`` the rest is not played."""
    bursts = factors(point.traffic.burst_cv, seconds, rng)
    safe = 0.0 if point.producers else _safe_rate(point)
    # A bucket remembers, so a shard is played in all of its seconds or in none.
    loads = loads[loads * bursts.max() > safe]
    busy = loads >= SLOTS
    throttled = set(_together(point, loads[~busy], bursts, reading, rng).seconds)
    for load in loads[busy].tolist():
        if len(throttled) > enough:
            break
        throttled |= _alone(point, load * bursts, reading, rng).seconds
    return len(throttled)


def _alone(point: Point, rates: Floats, reading: Reading, rng: np.random.Generator) -> Played:
    """Play a shard that has records all the time."""
    if reading == "fixed-window" and point.producers is None:
        return _windows(point, rates, rng)
    counts = rng.poisson(np.repeat(rates / SLOTS, SLOTS))
    size = sizes(point.traffic, int(counts.sum()) if point.traffic.bytes_cv else 1, rng)
    refused = np.flatnonzero(size > point.largest)
    np.subtract.at(counts, np.searchsorted(np.cumsum(counts), refused, side="right"), 1)
    these = coming(counts, counted(np.delete(size, refused)), rng, point.producers)
    return screened_windows(these) if reading == "fixed-window" else screened_buckets(these, _depth(point))


def _windows(point: Point, rates: Floats, rng: np.random.Generator) -> Played:
    """Play windows by how much is put into each: a record is refused if that is more than fits."""
    counts = rng.poisson(rates)
    unsure = counts > _safe_count(point)
    within = np.repeat(np.flatnonzero(unsure), counts[unsure])
    size = sizes(point.traffic, within.size, rng)
    within, size = within[size <= point.largest], counted(size[size <= point.largest])
    over = (np.bincount(within) > RECORDS) | (np.bincount(within, weights=size) > BYTES)
    return Played(frozenset(np.flatnonzero(over).tolist()))


def _together(
    point: Point, loads: Floats, bursts: Floats, reading: Reading, rng: np.random.Generator
) -> Played:
    """Play shards that have few records, all at once."""
    shard = np.repeat(np.arange(loads.size), rng.poisson(loads * bursts.sum()))
    size = sizes(point.traffic, shard.size, rng)
    shard, size = shard[size <= point.largest], counted(size[size <= point.largest])
    # Given how many records there are, each of a Poisson process falls into a second by the second's weight.
    until = np.cumsum(bursts / bursts.sum())
    second = np.searchsorted(until, rng.random(shard.size) * until[-1], side="right")
    at = second + rng.random(shard.size)
    if point.producers is not None:
        shard, at, size = pack(shard, at, size, point.producers, rng)
    if reading == "token-bucket":
        return play_buckets(shard, at, size, _depth(point))
    # AWS takes what is larger than a window by a burst, so the tank alone has room for it.
    small = size <= BYTES
    played = play_windows(shard[small], at[small], size[small])
    if small.all():
        return played
    return Played(played.seconds | play_buckets(shard, at, size, _depth(point)).seconds)


def _depth(point: Point) -> int:
    return TANK if point.largest > MIB else BYTES


@lru_cache
def _safe_count(point: Point) -> int:
    """Return how many records have next to no chance to exceed a window."""
    drawn = _sample(point)
    tilts = np.geomspace(0.1, 200.0, 60) / BYTES
    growth = [float(np.log(np.exp(np.minimum(tilt * drawn, 690)).mean())) for tilt in tilts]
    bounds = zip(tilts.tolist(), growth, strict=True)
    by_bytes = max((math.log(_NEVER) + tilt * BYTES) / max(grows, 1e-300) for tilt, grows in bounds)
    return int(min(RECORDS, max(0.0, by_bytes)))


@lru_cache
def _sample(point: Point) -> Floats:
    drawn = sizes(point.traffic, 20_000, np.random.default_rng(1))
    return counted(drawn[drawn <= point.largest]).astype(np.float64)


@lru_cache
def _safe_rate(point: Point) -> float:
    """Return the records a second below which a second has next to no chance to throttle a shard."""
    drawn = _sample(point)
    # A bucket that overflows got more than its depth within a second, or more than the limit for longer.
    tilts = np.geomspace(0.1, 200.0, 60) / BYTES
    growth = [float(np.expm1(np.minimum(tilt * drawn, 690)).mean()) for tilt in tilts]
    target = math.log(_NEVER)
    bounds = zip(tilts.tolist(), growth, strict=True)
    by_bytes = max((target + tilt * BYTES) / max(grows, 1e-300) for tilt, grows in bounds)
    by_records = max((target + tilt * RECORDS) / math.expm1(tilt) for tilt in np.geomspace(0.01, 5, 60))
    return max(0.0, min(by_bytes, by_records))
