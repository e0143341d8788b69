"""Which shard a key falls on: the MD5 of its name, as Kinesis places it; so names decide, not only shares."""

from collections.abc import Iterable, Sequence
from hashlib import md5

import numpy as np
import numpy.typing as npt

from shard_sizing.model.profile import Floats, Profile

_HASHES = float(2**64)


def positions(names: Iterable[str]) -> Floats:
    """Return where each key lies in the hash space, from 0 to 1; 53 bits of MD5 are enough to place a key."""
    digests = b"".join(md5(name.encode(), usedforsecurity=False).digest()[:8] for name in names)
    whole: Floats = np.frombuffer(digests, dtype=">u8").astype(np.float64) / _HASHES
    return np.minimum(whole, np.nextafter(1.0, 0.0))


def key_names(profile: Profile, count: int, name_set: int) -> list[str]:
    """Return names for a profile's keys: the measured ones as they are, ``key-<i>`` for the others.

    Args:
        profile: The workload.
        count: How many names.
        name_set: Which set of made-up names; set ``n`` numbers its keys from ``n * count``.
    """
    known = [hot.key for hot in profile.hot_keys[:count]]
    start = name_set * count
    return known + [f"key-{i}" for i in range(start + len(known), start + count)]


def uniform_loads(places: Floats, weights: Floats, shards: int) -> Floats:
    """Return each shard's share when the hash space is cut into equal ranges."""
    index: npt.NDArray[np.int64] = (places * shards).astype(np.int64)
    return np.bincount(index, weights=weights, minlength=shards).astype(np.float64)


def range_loads(places: Floats, weights: Floats, starts: Sequence[int]) -> Floats:
    """Return each shard's share for given first hash keys (ascending, the first is 0)."""
    edges = np.array([start / 2**128 for start in starts])
    index = np.searchsorted(edges, places, side="right") - 1
    return np.bincount(index, weights=weights, minlength=len(starts)).astype(np.float64)
