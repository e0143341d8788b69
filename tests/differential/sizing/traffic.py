"""What producers send: keys by a law, Poisson arrivals, one burst factor a second, sizes of their own."""

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from differential.sizing.shard import hash_key

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LARGEST: Final = 10 * 2**20
_POOL: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """A workload.

    Attributes:
        rate: Mean records a second.
        keys: Distinct keys.
        zipf: Exponent of their law; 0 is even.
        bytes: Mean bytes of a record.
        bytes_cv: Coefficient of variation of the sizes, which are lognormal; 0 makes all equal.
        burst_cv: The same of the rate from second to second.
    """

    rate: float
    keys: int = 100_000
    zipf: float = 0.0
    bytes: float = 500.0
    bytes_cv: float = 0.0
    burst_cv: float = 0.0

    def shares(self) -> Floats:
        """Return each key's share of the records, heaviest first."""
        weights: Floats = np.arange(1, self.keys + 1) ** -float(self.zipf)
        return weights / weights.sum()


@dataclass(frozen=True, slots=True)
class Records:
    """What was sent, in no order: each record's key, its time in seconds and its bytes."""

    key: Ints
    at: Floats
    size: Ints


def send(traffic: Traffic, seconds: int, rng: np.random.Generator) -> Records:
    """Draw the records of some seconds."""
    bursts = factors(traffic.burst_cv, seconds, rng)
    key = np.repeat(np.arange(traffic.keys), rng.poisson(traffic.rate * bursts.sum() * traffic.shares()))
    # Given how many records there are, each of a Poisson process falls into a second by the second's weight.
    second = np.repeat(np.arange(seconds), rng.multinomial(key.size, bursts / bursts.sum()))
    rng.shuffle(second)
    return Records(key, second + rng.random(key.size), sizes(traffic, key.size, rng))


def sizes(traffic: Traffic, count: int, rng: np.random.Generator) -> Ints:
    """Draw sizes of records."""
    if not traffic.bytes_cv:
        return np.full(count, round(traffic.bytes))
    sigma = np.sqrt(np.log1p(traffic.bytes_cv**2))
    drawn = traffic.bytes * rng.lognormal(-sigma * sigma / 2, sigma, count)
    return np.clip(np.rint(drawn), 1, LARGEST).astype(np.int64)


def factors(cv: float, seconds: int, rng: np.random.Generator) -> Floats:
    """Draw a lognormal factor of mean 1 for each second, one from each of as many equally likely strata.

    Strata keep the rare seconds, which decide, as frequent as they are; in plain draws the one second in a
    thousand comes twice, or never.
    """
    if not cv:
        return np.ones(seconds)
    sigma = float(np.sqrt(np.log1p(cv * cv)))
    strata = (rng.permutation(seconds) + rng.uniform(1e-9, 1 - 1e-9, seconds)) / seconds
    normal = np.array([*map(NormalDist().inv_cdf, strata.tolist())])
    factors: Floats = np.exp(sigma * normal - sigma * sigma / 2)
    return factors


def shard_of_keys(keys: int, shards: int, placement: int) -> Ints:
    """Return the shard of each key, for names that no other placement has, on equal hash ranges."""
    rng = np.random.default_rng((placement, keys))
    names = rng.choice(_POOL, keys, replace=False)
    return shards_of(_hash_keys()[names], shards)


def shards_of(high: npt.NDArray[np.uint64], shards: int) -> Ints:
    """Return which of equal ranges a hash key falls into, by its upper 64 bits.

    The lower 64 bits decide only for a hash key within 2^-64 of the space of a cut.
    """
    low, mask = high & np.uint64(2**32 - 1), np.uint64(32)
    whole = (high >> mask) * np.uint64(shards) + ((low * np.uint64(shards)) >> mask)
    return (whole >> mask).astype(np.int64)


@lru_cache(maxsize=1)
def _hash_keys() -> npt.NDArray[np.uint64]:
    names = (f"invoice/{number:07d}" for number in range(_POOL))
    return np.fromiter((hash_key(name) >> 64 for name in names), dtype=np.uint64, count=_POOL)
