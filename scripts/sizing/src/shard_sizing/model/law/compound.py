"""Sums of a Poisson number of sizes: how much reaches a shard in a second, as an exact law and not a sample.

Records arrive at random (Poisson) and each has a size of its own, so what arrives in a second is a compound
Poisson sum. Its characteristic function is known, and a Fourier transform turns it into probabilities. Sizes
are laid on a lattice so that each keeps its mean: the law is never narrower than the true one.
"""

from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.sizes import Atoms

_ROWS: Final = 64  # laws at a time: bounds the memory to some tens of megabytes
_TILTS: Final = np.geomspace(0.3, 3_000.0, 48)
_NORMAL: Final = np.vectorize(NormalDist().cdf, otypes=[np.float64])
_CERTAIN: Final = 32.0  # of the exponent beyond which a chance is taken as none: e**-32 is 1e-14


class Arrivals(msgspec.Struct, frozen=True):
    """What arrives in a second at each of a row of rates.

    Attributes:
        events: Mean arrivals a second, by rate.
        sizes: The sizes of an arrival, by rate, or one row for all rates.
        shares: How often each size comes; they sum to 1.
    """

    events: Floats
    sizes: Floats
    shares: Floats

    @property
    def means(self) -> Floats:
        """The mean that arrives in a second, by rate."""
        means: Floats = self.events * (self.sizes @ self.shares)
        return means

    @property
    def lumps(self) -> Floats:
        """The size of the arrival that a mean unit of the sum is in, by rate or one for all."""
        lumps: Floats = (self.sizes**2 @ self.shares) / (self.sizes @ self.shares)
        return lumps

    def normal(self, at: Floats) -> Floats:
        """Return the chance that the sum of many small arrivals is at most each of ``at``, by rate."""
        spread = np.sqrt(np.maximum(self.means * self.lumps, 1e-300))
        chances: Floats = _NORMAL((at[None, :] - self.means[:, None]) / spread[:, None])
        return chances

    def at(self, rows: npt.NDArray[np.intp]) -> "Arrivals":
        """Return the arrivals at some of the rates."""
        sizes = self.sizes if self.sizes.shape[0] == 1 else self.sizes[rows]
        return Arrivals(self.events[rows], sizes, self.shares)

    def capped(self, most: float) -> "Arrivals":
        """Return the arrivals with every size cut to ``most``."""
        return Arrivals(self.events, np.minimum(self.sizes, most), self.shares)


def arrivals(events: Floats, atoms: Atoms, scales: Floats | None = None) -> Arrivals:
    """Return arrivals whose sizes follow a histogram, multiplied by a scale for each rate if there is one."""
    sizes, shares = (np.array(column, dtype=np.float64) for column in zip(*atoms, strict=True))
    rows = sizes[None, :] if scales is None else scales[:, None] * sizes[None, :]
    return Arrivals(events, rows, shares)


def law(these: Arrivals, width: float, bins: int) -> Floats:
    """Return the probabilities of each sum, by rate, in bins of ``width``; those beyond wrap around."""
    parts = [
        _law(these.at(np.arange(first, min(first + _ROWS, these.events.size))), width, bins)
        for first in range(0, these.events.size, _ROWS)
    ]
    return np.concatenate(parts)


def _law(these: Arrivals, width: float, bins: int) -> Floats:
    rows, bins_from_zero = these.sizes.shape[0], these.sizes / width
    low = np.floor(bins_from_zero).astype(np.int64)
    above = these.shares * (bins_from_zero - low)
    index = low + np.arange(rows)[:, None] * bins
    weights = np.concatenate([(these.shares - above).ravel(), above.ravel()])
    severity = np.bincount(np.concatenate([index.ravel(), index.ravel() + 1]), weights, rows * bins)
    spectrum = np.fft.rfft(severity.reshape(rows, bins), axis=1)
    return np.maximum(np.fft.irfft(np.exp(these.events[:, None] * (spectrum - 1.0)), n=bins, axis=1), 0.0)


def surely_within(these: Arrivals, limit: float) -> npt.NDArray[np.bool_]:
    """Return at which rates a sum exceeds the limit with a chance below 1e-13, by Chernoff's bound."""
    within: npt.NDArray[np.bool_] = (
        np.min(_exponents(these.capped(2 * limit), limit, _TILTS / limit), axis=1) < -_CERTAIN
    )
    return within


def surely_beyond(these: Arrivals, limit: float) -> npt.NDArray[np.bool_]:
    """Return at which rates a sum stays within the limit with a chance below 1e-13, by Chernoff's bound."""
    beyond: npt.NDArray[np.bool_] = np.min(_exponents(these, limit, -_TILTS / limit), axis=1) < -_CERTAIN
    return beyond


def _exponents(these: Arrivals, limit: float, tilts: Floats) -> Floats:
    columns = []
    with np.errstate(over="ignore"):
        for tilt in tilts.tolist():
            moments = np.exp(tilt * these.sizes) @ these.shares
            columns.append(these.events * (moments - 1.0) - tilt * limit)
    return np.stack(columns, axis=1)
