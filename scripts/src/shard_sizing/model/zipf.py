"""The Zipf law of keys: its shares, and the exponent that fits counted keys."""

from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.peaks import Floats

_STEP: Final = 0.01  # of the exponents tried; an interval is never narrower


class Zipf(msgspec.Struct, frozen=True):
    """A fitted exponent with its 95 % interval; 0 is even, 1 and above is steep."""

    exponent: float
    low: float
    high: float


def zipf_shares(keys: int, exponent: float) -> Floats:
    """Return the shares of ``keys`` keys under the Zipf law; they sum to 1."""
    weights = np.arange(1, keys + 1, dtype=np.float64) ** -exponent
    law: Floats = weights / weights.sum()
    return law


def fit_zipf(counts: Floats, keys: int, total: float) -> Zipf:
    """Fit the exponent to the heaviest keys' counts by maximum likelihood, the tail as one further class.

    Args:
        counts: Records of the heaviest keys, heaviest first.
        keys: Distinct keys in all.
        total: Records of all keys.

    Returns:
        The exponent and its 95 % likelihood interval, widened by how far the counts scatter about the law:
        keys that come in clumps, or follow another law, leave the exponent less certain than chance alone.
    """
    grid = np.arange(0.0, 3.0, _STEP)
    ranks = np.log(np.arange(1, keys + 1, dtype=np.float64))
    top = counts.size
    tail = max(0.0, total - float(counts.sum()))
    scores = np.empty(grid.size)
    for i, exponent in enumerate(grid):
        weights = np.exp(-exponent * ranks)
        rest = float(weights[top:].sum())
        scores[i] = -exponent * float(counts @ ranks[:top]) - total * np.log(weights.sum())
        scores[i] += tail * np.log(rest) if tail and rest else 0.0
    best = int(scores.argmax())
    expected = np.exp(-grid[best] * ranks)
    expected *= total / expected.sum()
    scatter = float(((counts - expected[:top]) ** 2 / expected[:top]).sum()) / max(1, top - 1)
    # 1.92 is half the 95 % quantile of chi-squared with one degree of freedom.
    inside = grid[scores >= scores[best] - 1.92 * max(1.0, scatter)]
    low, high = max(0.0, float(inside[0]) - _STEP), float(inside[-1]) + _STEP
    return Zipf(round(float(grid[best]), 2), round(low, 2), round(high, 2))
