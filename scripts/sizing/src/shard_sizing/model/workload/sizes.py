"""Sizes of records: a histogram, and the units in which AWS bills them, summed from the true sizes."""

import math
from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from orderstream.aws.billing import PUT_UNIT_BYTES
from shard_sizing.model.workload.peaks import Floats

KIB: Final = 1_024
"""On-demand ingest is billed in steps of this many bytes."""

MOST_ATOMS: Final = 64
"""Distinct sizes below ``LARGE``; above, where few records fill a second, there are 16 to a doubling."""

LARGE: Final = 2**16
"""Bytes, a fifteenth of what a shard takes in a second."""

_PER_OCTAVE: Final = (
    16  # bins while counting; those of small sizes are joined until at most MOST_ATOMS are used
)
_BINS: Final = 25 * _PER_OCTAVE  # to 32 MiB, beyond any record
_SMALL: Final = 16 * _PER_OCTAVE  # bins below LARGE
_QUANTILES: Final = 20_000  # of a lognormal made discrete
_TAILS: Final = (-4.5, 5.2)  # standard deviations of its logarithm; one record in ten million is beyond

Atoms = tuple[tuple[float, float], ...]
"""A histogram of sizes: mean bytes of each bin, ascending, and its share of the records (they sum to 1)."""


class Sizes(msgspec.Struct, frozen=True):
    """How large records are.

    Attributes:
        mean: Mean bytes.
        atoms: The histogram; its mean is ``mean``.
        kib_units: Mean of the size in KiB, each record rounded up, at least 1.
        put_units: Mean of the size in PUT payload units, each record rounded up, at least 1.
        max: The largest.
    """

    mean: float
    atoms: Atoms
    kib_units: float
    put_units: float
    max: int


class SizeCounter:
    """Adds up sizes in log-spaced bins."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS)
        self._bytes = np.zeros(_BINS)
        self._kib = self._put = self._max = 0

    def add(self, sizes: npt.NDArray[np.int64]) -> None:
        """Count sizes, 0 bytes or more each."""
        bins = np.minimum(np.log2(np.maximum(sizes, 1)) * _PER_OCTAVE, _BINS - 1).astype(np.int64)
        self._counts += np.bincount(bins, minlength=_BINS)
        self._bytes += np.bincount(bins, weights=sizes, minlength=_BINS)
        self._kib += int(_units(sizes, KIB).sum())
        self._put += int(_units(sizes, PUT_UNIT_BYTES).sum())
        self._max = max(self._max, int(sizes.max(initial=0)))

    def sizes(self) -> Sizes:
        """Return what was counted, at least one size."""
        total = float(self._counts.sum())
        counts, volume = self._counts[:_SMALL], self._bytes[:_SMALL]
        while np.count_nonzero(counts) > MOST_ATOMS:
            counts, volume = (bins.reshape(-1, 2).sum(axis=1) for bins in (counts, volume))
        counts = np.concatenate([counts, self._counts[_SMALL:]])
        volume = np.concatenate([volume, self._bytes[_SMALL:]])
        used = np.flatnonzero(counts)
        means, shares = volume[used] / counts[used], counts[used] / total
        return Sizes(
            mean=float(self._bytes.sum()) / total,
            atoms=tuple(zip(means.tolist(), shares.tolist(), strict=True)),
            kib_units=self._kib / total,
            put_units=self._put / total,
            max=self._max,
        )


def lognormal_sizes(mean: float, cv: float, largest: int) -> Sizes:
    """Return lognormal sizes.

    Args:
        mean: Mean bytes.
        cv: Coefficient of variation; 0 makes all sizes equal.
        largest: Sizes above are cut to this many bytes.
    """
    if cv == 0:
        return _sizes(np.array([mean]), np.ones(1), ((mean, 1.0),))
    sigma = float(np.sqrt(np.log1p(cv * cv)))
    drawn = np.exp(sigma * _normal_quantiles())
    sizes = np.minimum(drawn * (mean / drawn.mean()), largest)
    atoms = _lognormal_atoms(mean, sigma, largest)
    # Every record is rounded up before it is billed, so the fine quantiles are summed, and not the atoms.
    return Sizes(
        mean=sum(size * share for size, share in atoms),
        atoms=atoms,
        kib_units=float(_units(sizes, KIB).mean()),
        put_units=float(_units(sizes, PUT_UNIT_BYTES).mean()),
        max=math.ceil(atoms[-1][0]),
    )


def _lognormal_atoms(mean: float, sigma: float, largest: int) -> Atoms:
    """Cut a lognormal law by size: by share, one atom would hold the few records that carry most bytes."""
    normal = NormalDist()
    steps = np.linspace(*_TAILS, MOST_ATOMS - 1)
    edges = LARGE * 2.0 ** (np.arange(_BINS - _SMALL + 1) / _PER_OCTAVE)
    large = (np.log(edges / mean) + sigma**2 / 2) / sigma
    step = steps[1] - steps[0]
    # From LARGE on its edges replace the steps, where these are wider.
    fine = large[large < _TAILS[1]] if large[1] - large[0] < step else large[:0]
    cuts = [
        -math.inf,
        *steps[steps < (fine.min(initial=math.inf) - step / 2)].tolist(),
        *fine.tolist(),
        math.inf,
    ]
    below = np.array([normal.cdf(cut) for cut in cuts])
    volume = np.array([normal.cdf(cut - sigma) for cut in cuts])
    shares = np.diff(below)
    means = np.minimum(mean * np.diff(volume) / shares, largest)
    return tuple(zip(means.tolist(), shares.tolist(), strict=True))


def scaled_sizes(atoms: Atoms, factor: float) -> Sizes:
    """Return a histogram with all sizes multiplied by a factor; its units are those of the atoms."""
    sizes, shares = (np.array(column) for column in zip(*atoms, strict=True))
    scaled = tuple(zip((sizes * factor).tolist(), shares.tolist(), strict=True))
    return _sizes(sizes * factor, shares, scaled)


def _sizes(sizes: Floats, shares: Floats, atoms: Atoms) -> Sizes:
    return Sizes(
        mean=float(sizes @ shares),
        atoms=atoms,
        kib_units=float(_units(sizes, KIB) @ shares),
        put_units=float(_units(sizes, PUT_UNIT_BYTES) @ shares),
        max=int(np.ceil(sizes[-1])),
    )


def _units(sizes: npt.NDArray[np.generic], unit: int) -> Floats:
    units: Floats = np.maximum(np.ceil(sizes.astype(np.float64) / unit), 1.0)
    return units


def _normal_quantiles() -> Floats:
    inverse = NormalDist().inv_cdf
    return np.array([inverse((i + 0.5) / _QUANTILES) for i in range(_QUANTILES)])
