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
from differential.sizing.shard import BYTES, RECORDS, TANK
from differential.sizing.steady import throttled_share
from differential.sizing.stream import Played, play_buckets, play_windows
from differential.sizing.traffic import LARGEST, Floats, Ints, Traffic, factors, shard_of_keys, sizes

Reading = Literal["fixed-window", "token-bucket"]
READINGS: Final[tuple[Reading, ...]] = ("fixed-window", "token-bucket")

PROMISE: Final = 0.001
"""The share of seconds that may throttle."""

_LOOK: Final = 3_000  # seconds
_LOOKS: Final = 4
_PART: Final = 250  # seconds of a look that are played at once, where no second depends on the one before
_CHEAP: Final = 1_000_000  # records: where they are rare, looks go on for so many, each as long as all before
_TOO_MANY: Final = PROMISE * _LOOK * _LOOKS  # seconds that throttle, beyond which no later look can help
_AT_ONCE: Final = 2_000_000  # records drawn at once: a bound of memory
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
            *(("--max-record-kib", str(LARGEST // 1_024)) if self.traffic.bytes > BYTES else ()),
        ]

    @property
    def alike(self) -> bool:
        """Whether records are all of one size that a second takes, and come steadily and by themselves."""
        traffic = self.traffic
        return not (self.producers or traffic.bytes_cv or traffic.burst_cv) and traffic.bytes <= BYTES

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


def keeps_promise(point: Point, shards: int, placement: int, reading: Reading) -> bool:
    """Whether a placement throttles in no more seconds than is promised.

    Where one look is not clear, by three standard deviations, it looks again. Where no look is and the law is
    known, the law decides.
    """
    shard = shard_of_keys(point.traffic.keys, shards, placement)
    loads = np.bincount(shard, point.traffic.shares(), shards) * point.traffic.rate
    return _keeps(point, loads, reading, np.random.default_rng((placement, shards)))


def keeps_alone(point: Point, reading: Reading) -> bool:
    """Whether the heaviest key keeps the promise with a shard of its own, which is the best it can get."""
    loads = point.traffic.shares()[:1] * point.traffic.rate
    return _keeps(point, loads, reading, np.random.default_rng(1))


def _keeps(point: Point, loads: Floats, reading: Reading, rng: np.random.Generator) -> bool:
    throttled = looked = 0
    cheap = _CHEAP / max(point.traffic.rate, 1e-9)
    while looked < max(_LOOKS * _LOOK, cheap):
        seconds = _LOOK if looked < _LOOKS * _LOOK else looked
        enough = math.inf if cheap > _LOOKS * _LOOK else _TOO_MANY - throttled
        throttled += _throttled(point, loads, reading, rng, seconds, enough)
        looked += seconds
        expected = PROMISE * looked
        if abs(throttled - expected) >= 3 * math.sqrt(expected) or not throttled:
            return throttled <= PROMISE * looked
    if reading == "fixed-window" and point.alike:
        return throttled_share(loads, round(point.traffic.bytes)) <= PROMISE
    return throttled <= PROMISE * looked


def _throttled(
    point: Point, loads: Floats, reading: Reading, rng: np.random.Generator, seconds: int, enough: float
) -> int:
    """Return how many seconds of a look throttle; beyond ``enough`` the rest is not played."""
    bursts = factors(point.traffic.burst_cv, seconds, rng)
    part = _PART if reading == "fixed-window" else seconds
    safe = 0.0 if point.producers else _safe_rate(point.traffic, reading)
    if reading == "token-bucket":
        # A bucket remembers, so a shard is played in all of its seconds or in none.
        loads = loads[loads * bursts.max() > safe]
    step = max(1, min(part, int(_AT_ONCE / max(1.0, float(loads.sum() * bursts.mean())))))
    throttled = 0
    for first in range(0, seconds, step):
        throttled += _part(point, loads, bursts[first : first + step], safe, reading, rng)
        if throttled > enough:
            break
    return throttled


def _part(
    point: Point, loads: Floats, bursts: Floats, safe: float, reading: Reading, rng: np.random.Generator
) -> int:
    rates = bursts[:, None] * loads[None, :]
    second, shard = np.nonzero(rates > (safe if reading == "fixed-window" else 0.0))
    window = np.repeat(np.arange(second.size), rng.poisson(rates[second, shard]))
    shard, at = shard[window], second[window] + rng.random(window.size)
    size = sizes(point.traffic, window.size, rng)
    if point.producers is not None:
        shard, at, size = pack(shard, at, size, point.producers, rng)
    if not at.size:
        return 0
    return _play(shard, at, size, reading).throttled


def _play(shard: Ints, at: Floats, size: Ints, reading: Reading) -> Played:
    if reading == "token-bucket":
        return play_buckets(shard, at, size, TANK if size.max() > BYTES else BYTES)
    # AWS accepts what is larger than a window by a burst: only the other reading has room for it.
    small = size <= BYTES
    return play_windows(shard[small], at[small], size[small])


@lru_cache
def _safe_rate(traffic: Traffic, reading: Reading) -> float:
    """Return the records a second below which a second has next to no chance to throttle a shard."""
    drawn = sizes(traffic, 20_000, np.random.default_rng(1)).astype(np.float64)
    if reading == "fixed-window":
        drawn = drawn[drawn <= BYTES] if drawn.min() <= BYTES else np.zeros(1)
    # A bucket that overflows got more than its depth within a second, or more than the limit for longer.
    tilts = np.geomspace(0.1, 200.0, 60) / BYTES
    growth = [float(np.expm1(np.minimum(tilt * drawn, 690)).mean()) for tilt in tilts]
    target = math.log(_NEVER)
    bounds = zip(tilts.tolist(), growth, strict=True)
    by_bytes = max((target + tilt * BYTES) / max(grows, 1e-300) for tilt, grows in bounds)
    by_records = max((target + tilt * RECORDS) / math.expm1(tilt) for tilt in np.geomspace(0.01, 5, 60))
    return max(0.0, min(by_bytes, by_records))
