"""The Zipf law of keys: its shares, and the exponent that fits counted keys."""

import math
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.workload.peaks import Floats

FITTED: Final = 100
"""Heaviest keys to which the law is fitted, and those that weigh as much as the last of them."""

_STEP: Final = 0.01  # of the exponents tried; an interval is never narrower
_COARSE: Final = 10  # steps at first
_MOST: Final = 300  # the largest exponent is 3.00
_BIN: Final = 1.1  # counts at the ends of a bin
_ONE_BY_ONE: Final = 64  # ranks that are not grouped
_GROUPS: Final = 150
_EDGES: Final = np.linspace(0.0, 1.0, _GROUPS)  # of the groups, on a logarithmic scale
_EXACT_COUNT: Final = 30  # up to here the normal law is no good for the chances of a count
_MOST_UNSEEN: Final = 1e9  # keys there are at most, for each that was seen: ids that never come again


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


def fit_zipf(counts: Floats, seen: int, total: float, least: float = 1.0, one_in: float = 1.0) -> Zipf:
    """Fit the exponent to how many keys have how many records, among the heaviest keys.

    Ranks by counted records are not the ranks of the law: of even keys some have more records than others by
    chance, and ranked by that they look skewed. So the fit asks how many keys have so many records, which is
    the same for any ranks. Nor are the keys that were seen all there are: for each exponent there
    are as many as make those that were seen likely.

    Args:
        counts: Records of the heaviest keys, in any order: of all that have ``least`` or more.
        seen: Distinct keys seen.
        total: Records of all keys.
        least: Counts below are not certain, and not used.
        one_in: The counts are those of one key in so many, drawn by lot.

    Returns:
        The exponent and its 95 % likelihood interval, widened by how far the numbers of keys scatter about
        the law: keys that come in clumps, or follow another law, leave the exponent less certain.
    """
    if seen == 1:  # one key has all records under every exponent
        return Zipf(0.0, 0.0, round((_MOST + 1) * _STEP, 2))
    ranked = -np.sort(-counts)
    lightest = max(least, float(ranked[min(FITTED, ranked.size) - 1])) if ranked.size else least
    used = ranked[ranked >= lightest]
    edges = _edges(lightest, float(used.max(initial=lightest)))
    found = np.append(np.histogram(used, edges)[0], 0)
    laws: dict[int, Floats] = {}

    def score(step: int) -> float:
        if step not in laws:
            laws[step] = _expected(edges, step * _STEP, seen, total) / one_in
        return float((found * np.log(laws[step]) - laws[step]).sum())

    best = max(range(0, _MOST + 1, _COARSE), key=score)
    best = max(range(max(0, best - _COARSE), min(_MOST, best + _COARSE) + 1), key=score)
    told = (laws[best] > 0.3) | (found > 0)
    expected = laws[best].clip(min=0.3)
    off = ((found - laws[best]) ** 2 / expected)[told]
    # 1.92 is half the 95 % quantile of chi-squared with one degree of freedom.
    lost = 1.92 * max(1.0, float(off.sum()) / max(1, int(told.sum()) - 1))
    low, high = (_end(best, way, lambda step: score(step) >= score(best) - lost) for way in (-1, 1))
    # Where even keys are not excluded, they are the simplest law: no skew is invented.
    best = best if low > 0 else 0
    return Zipf(round(best * _STEP, 2), round(max(0, low) * _STEP, 2), round(high * _STEP, 2))


def _end(best: int, way: int, inside: Callable[[int], bool]) -> int:
    """Return the first step outside the interval, in one direction; at most a step beyond those tried."""
    step = best + way
    while 0 <= step <= _MOST and inside(step):
        step += way
    return step


def _edges(lightest: float, heaviest: float) -> Floats:
    """Return the lower ends of bins of counts; the last has no upper end."""
    edges = [math.ceil(lightest)]
    while edges[-1] <= heaviest:
        edges.append(max(edges[-1] + 1, math.ceil(edges[-1] * _BIN)))
    return np.array(edges, dtype=np.float64)


def _expected(edges: Floats, exponent: float, seen: int, total: float) -> Floats:
    """Return how many keys have a count in each bin, on average."""
    rates, times = _law(exponent, _keys(exponent, seen, total), total)
    exact = edges <= _EXACT_COUNT
    below = np.vstack(
        [_poisson_below_exactly(edges[exact], rates), _poisson_below(edges[~exact, None], rates[None, :])]
    )
    chances = np.diff(np.vstack([below, np.ones(rates.size)]), axis=0)
    expected: Floats = np.maximum(chances @ times, 1e-9)
    return expected


def _keys(exponent: float, seen: int, total: float) -> float:
    """Return of how many keys ``seen`` are seen in so many records."""
    low, high = math.log(seen), math.log(seen * _MOST_UNSEEN)
    for _ in range(20):
        middle = (low + high) / 2
        rates, times = _law(exponent, math.exp(middle), total)
        low, high = (middle, high) if float(-np.expm1(-rates) @ times) < seen else (low, middle)
    return math.exp(low)


def _law(exponent: float, keys: float, total: float) -> tuple[Floats, Floats]:
    """Return the mean records of ranks, and how many keys each rank represents: light ones are grouped."""
    first = np.arange(1.0, min(keys, _ONE_BY_ONE) + 1)
    begin, end = first.size + 0.5, max(keys, first.size) + 0.5
    edges = begin * (end / begin) ** _EDGES  # np.geomspace takes longer than the rest of a fit
    ranks = np.concatenate([first, np.sqrt(edges[:-1] * edges[1:])])
    times = np.concatenate([np.ones(first.size), np.diff(edges)])
    weights = ranks**-exponent
    return total * weights / float(weights @ times), times


def _poisson_below_exactly(counts: Floats, mean: Floats) -> Floats:
    """Return the chance of less than each of a few small counts, one row for each."""
    numbers = np.arange(_EXACT_COUNT)[:, None]
    factorials = np.cumsum(np.log(np.maximum(numbers, 1)), axis=0)
    below = np.cumsum(np.exp(numbers * np.log(mean)[None, :] - mean[None, :] - factorials), axis=0)
    rows: Floats = below[counts.astype(np.int64) - 1]
    return rows


def _poisson_below(count: Floats, mean: Floats) -> Floats:
    """Return the chance of less than a count, of 1 or more (Wilson and Hilferty, 1931)."""
    cubic = 1 - 1 / (9 * count) - (mean / count) ** (1 / 3)
    z = 3 * np.sqrt(count) * cubic
    # Abramowitz and Stegun, 26.2.17: the normal law to seven digits.
    t = 1 / (1 + 0.2316419 * np.abs(z))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * series
    below: Floats = np.where(z >= 0, 1 - upper, upper)
    return below
