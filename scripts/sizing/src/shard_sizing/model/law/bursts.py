"""Bursts: one factor a second that multiplies the whole stream, lognormal with mean 1."""

import math
from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.workload.peaks import Floats

MOST_CV: Final = 7.5
"""The largest variation that is planned for.

Bursts are what varies from second to second within a minute. Where a minute's records all come in one of its
seconds, that is a coefficient of 7.7 (the root of 59): seconds that may throttle would be all that count.
"""

_REACH = 5.0  # standard deviations of the logarithm on each side
_MOST = 160  # factors that are distinguished


class Bursts(msgspec.Struct, frozen=True):
    """The factors of a second on a geometric lattice.

    Attributes:
        steps: Each factor's index on the lattice; 0 is a factor of 1.
        weights: How often each comes; they sum to 1.
    """

    steps: tuple[int, ...]
    weights: Floats


def bursts(cv: float, ratio: float, stride: int = 1) -> Bursts:
    """Return lognormal factors on a lattice.

    Args:
        cv: Their coefficient of variation, ``MOST_CV`` at most; 0 is the factor 1 alone.
        ratio: Of two neighbours on the lattice.
        stride: Use each so-manieth point of the lattice at most.
    """
    if cv == 0:
        return Bursts((0,), np.ones(1))
    variance = math.log1p(cv * cv)
    law = NormalDist(-variance / 2, math.sqrt(variance))
    width = math.log(ratio)
    needed = math.ceil(2 * _REACH * law.stdev / width / _MOST)
    stride *= max(1, math.ceil(needed / stride))
    half = stride * width / 2
    reach = math.ceil((_REACH * law.stdev + variance) / (stride * width))
    indices = [stride * step for step in range(-reach, reach + 1)]
    weights = np.array([law.cdf(index * width + half) - law.cdf(index * width - half) for index in indices])
    return Bursts(tuple(indices), weights / weights.sum())


def burst_factors(cv: float, seconds: int, rng: np.random.Generator) -> Floats:
    """Draw one factor per second, lognormal with mean 1 and the given coefficient of variation."""
    if cv == 0:
        return np.ones(seconds)
    sigma = float(np.sqrt(np.log1p(cv * cv)))
    return rng.lognormal(-sigma * sigma / 2, sigma, seconds)
