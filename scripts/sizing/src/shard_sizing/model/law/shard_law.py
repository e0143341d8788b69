"""What a shard does at a rate: the chance that a second throttles it, for every rate at once.

A shard has two limits, of records and of bytes. For each a table over a geometric lattice of rates holds the
chance that a second exceeds it; a burst is a step along the lattice. Both readings of the limit are
tabulated: a fixed window needs the law of one second's arrivals, a token bucket its steady state as well.

Shards are independent once the burst is known, for Poisson arrivals that are split stay Poisson. The two
limits of a shard are not; taking them as if they were says a little too much throttling and never too little,
for both grow with what arrives (Harris' inequality).
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from shard_sizing.model.law.bursts import Bursts, bursts
from shard_sizing.model.law.compound import Arrivals, law, surely_beyond, surely_within
from shard_sizing.model.law.token_bucket import bucket_for, second_of, steady_state
from shard_sizing.model.workload.peaks import Floats

Enforcement = Literal["fixed-window", "token-bucket"]
ENFORCEMENTS: tuple[Enforcement, ...] = ("token-bucket", "fixed-window")

COARSE: Final = 7
_PER_DOUBLING: Final = 70
RATIO: Final = 2.0 ** (1 / _PER_DOUBLING)
"""Of two neighbouring rates, about one per cent."""

_DOWN, _UP = 14 * _PER_DOUBLING, 3 * _PER_DOUBLING
POINTS: Final = _DOWN + _UP + 1
_FINEST: Final = 8_000  # bins of one limit
_SURE: Final = 50.0  # -log of a chance that counts as 0
USED: Final = np.geomspace(0.01, 4.0, 160)
"""Loads over the limit at which the law of a shard's use is tabulated."""


class Meter(msgspec.Struct, frozen=True):
    """One limit of a shard.

    Attributes:
        limit: What a second takes.
        depth: What its token bucket holds.
        arrivals: What counts against it, by the rate on the shard.
    """

    limit: float
    depth: float
    arrivals: Arrivals


def lattice(full: float) -> Floats:
    """Return the rates of the lattice; ``full`` is the one of a shard that is just full."""
    return (full * RATIO ** np.arange(-_DOWN, _UP + 1)).astype(np.float64)


def lattice_index(rates: Floats, full: float) -> Floats:
    """Return where rates lie on the lattice: from 0, fractions between two of its rates."""
    lowest = full * RATIO**-_DOWN
    index: Floats = np.log(np.maximum(rates, lowest) / lowest) / np.log(RATIO)
    return np.minimum(index, float(POINTS - 1)).astype(np.float64)


def spread(rates: Floats, full: float) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Spread rates over the two nearest rates of the lattice each.

    What is computed from a rate is convex in it, so the two rates give at least as much.

    Returns:
        The lower index, and the weights of it and of the next.
    """
    lowest = full * RATIO**-_DOWN
    index = lattice_index(rates, full)
    low = np.minimum(index.astype(np.int64), POINTS - 2)
    above = np.minimum(index - low, 1.0)
    # Below the lattice the chances are those of a single record: in proportion to the rate.
    small = np.minimum(rates / lowest, 1.0)
    return low, (1.0 - above) * small, above


class MeterLaw:
    """The chances of one limit, by rate and burst.

    Args:
        meter: The limit, and what counts against it at each rate of the lattice.
        burst_cv: Coefficient of variation of the seconds' factors.
    """

    def __init__(self, meter: Meter, burst_cv: float) -> None:
        self._meter = meter
        self._bursts = {
            "fixed-window": bursts(burst_cv, RATIO),
            "token-bucket": bursts(burst_cv, RATIO, COARSE),
        }
        self._burst_cv = burst_cv

    def bursts(self, enforcement: Enforcement) -> Bursts:
        """Return the bursts of the tables of one reading."""
        return self._bursts[enforcement]

    def strain(self, enforcement: Enforcement) -> Floats:
        """Return ``-log`` of the chance that a second is not throttled, by rate and burst."""
        return self._window_strain if enforcement == "fixed-window" else self._bucket[0]

    def idle(self, counts: Floats) -> bool:
        """Return whether shards at these rates can never exceed the limit, in any burst."""
        highest = np.flatnonzero(counts.any(axis=0))
        burst = max(max(each.steps) for each in self._bursts.values())
        return not highest.size or not self._window[0][: min(int(highest[-1]) + burst + 1, POINTS)].any()

    def rejected(self, enforcement: Enforcement) -> Floats:
        """Return the share of what arrives that is rejected, by rate, over all bursts."""
        means = self._meter.arrivals.means
        if enforcement == "token-bucket":
            return np.minimum(self._bucket[1] / means, 1.0)
        each = self._bursts["fixed-window"]
        return np.minimum(_along(self._window[1], each.steps) @ each.weights / means, 1.0)

    @cached_property
    def _window(self) -> tuple[Floats, Floats]:
        """The chance of a window over the limit, and what it rejects in a second, by rate."""
        meter = self._meter
        over = surely_beyond(meter.arrivals, meter.limit).astype(np.float64)
        excess = np.maximum(meter.arrivals.means - meter.limit, 0.0)
        unsure = np.flatnonzero((over == 0) & ~surely_within(meter.arrivals, meter.limit))
        if unsure.size:
            width = self._width
            whole = round(meter.limit / width)
            bins = 1 << (4 * whole).bit_length()
            these = meter.arrivals.at(unsure)
            chances = law(these.capped(meter.limit + width), width, bins)
            over[unsure] = np.clip(chances[:, whole + 1 :].sum(axis=1), 0.0, 1.0)
            short = chances[:, :whole] @ (meter.limit - width * np.arange(whole))
            excess[unsure] = np.maximum(these.means - meter.limit + short, 0.0)
        return over, excess

    @cached_property
    def _width(self) -> float:
        lump = self.lump
        bins = int(min(_FINEST, max(1_000.0, 1_000 * np.ceil(self._meter.limit / 1_000 / lump))))
        return self._meter.limit / bins

    @property
    def lump(self) -> float:
        """The size of the record that a mean byte is in, where the shard is full."""
        sizes, shares = self._meter.arrivals.sizes[-1 - _UP :][0], self._meter.arrivals.shares
        return float(sizes**2 @ shares / (sizes @ shares))

    @cached_property
    def _window_strain(self) -> Floats:
        strain = _strain(self._window[0])
        return _along(strain, self._bursts["fixed-window"].steps)

    @cached_property
    def _bucket(self) -> tuple[Floats, Floats]:
        """The strain of a token bucket by rate and burst, and what it rejects in a second, by rate."""
        meter, each = self._meter, self._bursts["token-bucket"]
        bucket = bucket_for(meter.depth, meter.limit, self.lump)
        # Small records leave a bucket full at a fiftieth of the limit, and where the largest burst is half of
        # it; lower rates are taken for that one.
        below = max(_PER_DOUBLING * np.log2(50), max(each.steps) + _PER_DOUBLING)
        first = 0 if bucket.steps > 1 else max(0, _DOWN - round(below / COARSE) * COARSE)
        coarse = np.arange(first, POINTS, COARSE)
        there = meter.arrivals.at(coarse)
        second = second_of(bucket, Arrivals(there.events / bucket.steps, there.sizes, there.shares))
        steps = [step // COARSE for step in each.steps]
        chances, rejected = np.empty((coarse.size, len(steps))), np.empty(coarse.size)
        for row in range(coarse.size):
            bursting = np.clip([row + step for step in steps], 0, coarse.size - 1)
            state = steady_state(np.tensordot(each.weights, second.moves[bursting], axes=1))
            chances[row] = 1.0 - second.safe[bursting] @ state
            rejected[row] = each.weights @ (second.refused[bursting] @ state)
        strain = np.log(np.maximum(_strain(np.clip(chances, 0.0, 1.0)), 1e-30))
        fine = np.arange(POINTS)
        return (
            np.stack([np.exp(np.interp(fine, coarse, column)) for column in strain.T], axis=1),
            np.interp(fine, coarse, rejected),
        )

    @cached_property
    def used(self) -> Floats:
        """``log`` of the chance that a second uses no more than each of ``USED``, by each ``COARSE`` rate."""
        meter, bins = self._meter, 4_096
        width = 8.0 * meter.limit / bins
        these = meter.arrivals.at(np.arange(0, POINTS, COARSE)).capped(float(USED[-1]) * meter.limit + width)
        below = np.cumsum(law(these, width, bins), axis=1)
        chances = below[:, (USED * meter.limit / width + 1e-9).astype(np.int64)]
        # Arrivals that are finer than a bin would be rounded to whole bins or none, and vary by it.
        fine = np.broadcast_to(these.lumps < 2 * width, these.means.shape)
        if fine.any():
            chances[fine] = these.normal(USED * meter.limit)[fine]
        chances = np.clip(chances, 1e-30, 1.0)
        chances[these.means > 5 * meter.limit] = 1e-30
        return np.log(chances)


def strained(laws: Mapping[str, MeterLaw], loads: Mapping[str, Floats], enforcement: Enforcement) -> Floats:
    """Return the share of seconds in which any shard is throttled, by placement.

    Args:
        laws: The limits by name.
        loads: For each name the number of shards at each rate of the lattice, by placement.
        enforcement: The reading of the limits.
    """
    each = next(iter(laws.values())).bursts(enforcement)
    strain = sum(_summed(loads[name], meter.strain(enforcement)) for name, meter in laws.items())
    share: Floats = 1.0 - np.exp(-np.asarray(strain)) @ each.weights
    return share


def _summed(counts: Floats, strain: Floats) -> Floats:
    """Return the strain of all shards, by placement and burst; shards of equal ranges lie near each other."""
    there = np.flatnonzero(counts.any(axis=0))
    between = slice(int(there[0]), int(there[-1]) + 1) if there.size else slice(0)
    summed: Floats = counts[:, between] @ strain[between]
    return summed


def _strain(chances: Floats) -> Floats:
    strain: Floats = np.minimum(-np.log1p(-np.minimum(chances, 1.0 - 1e-15)), _SURE)
    return strain


def _along(row: Floats, steps: tuple[int, ...]) -> Floats:
    """Return a row of the lattice as each burst sees it: by rate and burst."""
    index = np.arange(row.size)[:, None] + np.array(steps)[None, :]
    shifted: Floats = row[np.clip(index, 0, row.size - 1)]
    return shifted
