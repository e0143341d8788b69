"""A workload as the model sees it: how much, how bursty, how large, and on which keys."""

from math import isfinite
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from shard_sizing.errors import InputError

SCHEMA: Final = "shard-sizing/profile/1"
MAX_RECORD_BYTES: Final = 10 * 1024 * 1024
"""The largest record a stream can be configured to take (Kinesis API, UpdateMaxRecordSize)."""

_ZIPF_STEP: Final = 0.01  # of the exponents tried; an interval is never told to be narrower
Floats = npt.NDArray[np.float64]


class Rates(msgspec.Struct, frozen=True):
    """Records per interval: mean and percentiles over all intervals, idle ones included."""

    mean: float
    p50: float
    p99: float
    p999: float


class HotKey(msgspec.Struct, frozen=True):
    """A heavy key: its share of all records and bytes (0 to 1), over-counted by at most ``error``."""

    key: str
    record_share: float
    byte_share: float
    error: float = 0.0


class Zipf(msgspec.Struct, frozen=True):
    """A fitted exponent with its 95 % interval; 0 is even, 1 and above is steep."""

    exponent: float
    low: float
    high: float


class HashLoad(msgspec.Struct, frozen=True):
    """The load by its place in the hash space.

    Attributes:
        by: What binds, and so is meant by load: ``records`` or ``bytes``.
        parts: The share of it in each of equal parts of the hash space.
    """

    by: Literal["records", "bytes"]
    parts: tuple[float, ...]


class Profile(msgspec.Struct, frozen=True):
    """One workload, measured or made up; ``profile.json`` is this as JSON.

    Attributes:
        rate: Mean records per second.
        record_bytes: Mean bytes of a record, its key included.
        burst_cv: Coefficient of variation of the rate from second to second, beyond chance; 0, and not
            known, where ``resolution`` is above 1.
        keys: Distinct keys (an estimate for large inputs).
        zipf: Skew of the keys.
        hot_keys: The keys with the most records, by name; the rest is taken to follow the Zipf law.
        per_second: Percentiles of the rate per second, if sampled.
        per_minute: The same per minute.
        records: Records seen; 0 for a made-up workload.
        max_bytes: The largest record seen.
        hot_by_bytes: The keys with the most bytes.
        resolution: Seconds in whose steps the sampled times were told.
        hash_load: Where in the hash space the load lies, if measured on a stream.
        schema: Name and version of this format.
    """

    rate: float
    record_bytes: float
    burst_cv: float
    keys: int
    zipf: Zipf
    hot_keys: tuple[HotKey, ...] = ()
    per_second: Rates | None = None
    per_minute: Rates | None = None
    records: int = 0
    max_bytes: int = 0
    hot_by_bytes: tuple[HotKey, ...] = ()
    resolution: int = 1
    hash_load: HashLoad | None = None
    schema: str = SCHEMA

    def __post_init__(self) -> None:
        """Refuse what no workload can be."""
        if self.schema != SCHEMA:
            raise InputError("profile", f"schema {self.schema!r} is not {SCHEMA!r}; sample it again")
        if (
            min(self.rate, self.record_bytes) <= 0
            or self.keys < 1
            or min(self.burst_cv, self.zipf.exponent) < 0
        ):
            raise InputError("profile", "rate, bytes and keys must be positive, burst and skew not negative")
        if not all(map(isfinite, (self.rate, self.record_bytes, self.burst_cv, self.zipf.exponent))):
            raise InputError("profile", "rate, bytes, burst and skew must be finite numbers")
        if max(self.record_bytes, self.max_bytes) > MAX_RECORD_BYTES:
            raise InputError(
                "profile",
                f"Kinesis takes no record over {MAX_RECORD_BYTES:,} bytes; keep large payloads in S3 and "
                "put their address into the stream",
            )


def synthetic(rate: float, record_bytes: float, zipf: float, burst_cv: float, keys: int = 100_000) -> Profile:
    """Return a made-up workload whose keys follow the Zipf law."""
    return Profile(rate, record_bytes, burst_cv, keys, Zipf(zipf, zipf, zipf))


def shares(profile: Profile, limit: int = 200_000) -> Floats:
    """Return each key's share of the load, heaviest first: hot keys as measured, others by the Zipf law."""
    count = min(profile.keys, limit)
    law = zipf_shares(count, profile.zipf.exponent)
    hot = np.array([k.record_share for k in profile.hot_keys[:count]], dtype=np.float64)
    if not hot.size:
        return law
    tail = law[hot.size :]
    rest = max(0.0, 1.0 - float(hot.sum()))
    whole = np.concatenate([hot, tail * (rest / tail.sum())]) if tail.size else hot
    normalised: Floats = whole / whole.sum()
    return normalised


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
    grid = np.arange(0.0, 3.0, _ZIPF_STEP)
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
    low, high = max(0.0, float(inside[0]) - _ZIPF_STEP), float(inside[-1]) + _ZIPF_STEP
    return Zipf(round(float(grid[best]), 2), round(low, 2), round(high, 2))
