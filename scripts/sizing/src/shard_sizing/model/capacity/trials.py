"""The least number of shards that fits in a share of placements, found by trying placements.

Whether a number of shards fits depends on where the keys fall, so a number has a chance to fit. It is tried
on as many placements as it takes to be sure: far from the result a few dozen do, near it some hundreds. A
number is taken only if as many placements fit as would be unlikely (3 %) if fewer than the wanted share did.
More shards fit at least as often, so the search halves the range in which the result lies.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Try = Callable[[int, int, np.random.Generator], Bools]
"""Tries a number of shards on so many placements: which of them fit, by placement and reading."""

_LOOKS: Final = (24, 50, 100, 200, 400)
_COSTLY_LOOKS: Final = (
    10,
    34,
    50,
)  # of thousands of shards: ten show what is far too little, 34 what is plenty
_MOST_FALLS: Final = 200_000  # shards times placements at most, so that 20,000 shards take seconds
_UNLIKELY: Final = 0.03
_CLOSE: Final = (
    50  # the search ends within such a part of the result: 400 placements tell no closer ones apart
)


class Trials:
    """Remembers what was tried, by the number of shards.

    Args:
        attempt: Tries placements.
        readings: How many readings of the limits there are.
        seed: Makes the same placements come out again.
    """

    def __init__(self, attempt: Try, readings: int, seed: int) -> None:
        self._attempt = attempt
        self._readings = readings
        self._seed = seed
        self._fits: dict[int, Bools] = {}

    def share(self, shards: int, reading: int) -> tuple[float, int]:
        """Return the share of tried placements in which a number of shards fits, and how many were tried."""
        fits = self._tried(shards, _LOOKS[0])[:, reading]
        return float(fits.mean()), fits.size

    def fits(self, shards: int, reading: int, wanted: float) -> bool:
        """Return whether a number of shards surely fits in at least the wanted share of placements."""
        most = max(_COSTLY_LOOKS[-1], min(_LOOKS[-1], _MOST_FALLS // shards))
        for look in _LOOKS if most > _COSTLY_LOOKS[-1] else _COSTLY_LOOKS:
            fits = self._tried(shards, min(look, most))[:, reading]
            good = int(fits.sum())
            if _tail(fits.size, good, wanted) <= _UNLIKELY:
                return True
            if _tail(fits.size, fits.size - good, 1 - wanted) <= _UNLIKELY:
                return False
            if look >= most:
                break
        # Near certainty cannot be shown by hundreds of placements; all but the share that may fail is enough.
        return wanted > 0.97 and float(fits.mean()) >= wanted

    def least(self, lowest: int, highest: int, reading: int, wanted: float) -> int | None:
        """Return the least number of shards that fits in the wanted share, within 2 % where they are many."""
        if lowest > highest:
            return None
        low, high, step = lowest - 1, lowest, 1
        while not self.fits(high, reading, wanted):
            if high >= highest:
                return None
            low, step = high, max(step + 1, math.ceil(high * 0.3))
            high = min(highest, high + step)
        while high - low > max(1, high // _CLOSE):
            middle = (low + high) // 2
            low, high = (low, middle) if self.fits(middle, reading, wanted) else (middle, high)
        return high

    def _tried(self, shards: int, placements: int) -> Bools:
        known = self._fits.get(shards, np.empty((0, self._readings), dtype=np.bool_))
        if known.shape[0] < placements:
            rng = np.random.default_rng((self._seed, shards, known.shape[0]))
            more = self._attempt(shards, placements - known.shape[0], rng)
            known = self._fits[shards] = np.concatenate([known, more])
        return known


@lru_cache(maxsize=4096)
def _tail(tried: int, good: int, share: float) -> float:
    """Return the chance of at least so many good ones if each is good with this chance."""
    if good == 0:
        return 1.0
    return math.fsum(
        math.comb(tried, each) * share**each * (1 - share) ** (tried - each)
        for each in range(good, tried + 1)
    )
