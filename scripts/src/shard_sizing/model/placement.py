"""Which shard a key falls on: the MD5 of its name, as Kinesis places it; so names decide, not only shares."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import md5
from typing import Literal

import numpy as np

from shard_sizing.model.peaks import Floats
from shard_sizing.model.profile import Profile
from shard_sizing.model.shares import byte_shares, record_shares

_HASHES = float(2**64)
_SPREAD = 8


def positions(names: Iterable[str]) -> Floats:
    """Return where each key lies in the hash space, from 0 to 1; 53 bits of MD5 are enough to place a key."""
    digests = b"".join(md5(name.encode(), usedforsecurity=False).digest()[:8] for name in names)
    whole: Floats = np.frombuffer(digests, dtype=">u8").astype(np.float64) / _HASHES
    return np.minimum(whole, np.nextafter(1.0, 0.0))


def placed(profile: Profile, by: Literal["records", "bytes"] = "records") -> tuple[Floats, Floats]:
    """Return where a profile's load lies, from 0 to 1, and each place's share of its records or bytes.

    A profile that was measured on a stream tells where its load lies: its hot keys exactly, the rest by parts
    of the hash space. Any other is placed by the names of its keys.
    """
    if profile.hash_load is None:
        weights = byte_shares(profile) if by == "bytes" else record_shares(profile)
        return key_positions(profile, weights.size, 0), weights
    parts = np.array(profile.hash_load.by(by))
    known = profile.known_keys()
    hot = positions(key.key for key in known)
    hot_shares = np.array([key.byte_share if by == "bytes" else key.record_share for key in known])
    rest = parts - np.bincount((hot * parts.size).astype(np.int64), weights=hot_shares, minlength=parts.size)
    # Each part's rest is spread over it, so that a cut may go through it.
    offsets = (np.arange(_SPREAD) + 0.5) / _SPREAD
    places = ((np.arange(parts.size)[:, None] + offsets[None, :]) / parts.size).ravel()
    spread = np.repeat(np.maximum(rest, 0.0) / _SPREAD, _SPREAD)
    weights = np.concatenate([hot_shares, spread])
    return np.concatenate([hot, places]), weights / weights.sum()


def key_positions(profile: Profile, count: int, name_set: int) -> Floats:
    """Return where a profile's keys lie: the measured ones by name, and ``key-<i>`` for the others.

    Args:
        profile: The workload.
        count: How many keys.
        name_set: Which set of made-up names; set ``n`` numbers its keys from ``n * count``.
    """
    known = positions(known.key for known in profile.known_keys()[:count])
    start = name_set * count
    return np.concatenate([known, _numbered_positions(start + known.size, start + count)])


@lru_cache(maxsize=32)
def _numbered_positions(start: int, end: int) -> Floats:
    # The same made-up names are placed for each question that is asked of a workload.
    places = positions(f"key-{i}" for i in range(start, end))
    places.setflags(write=False)
    return places


def range_loads(places: Floats, weights: Floats, starts: Sequence[int]) -> Floats:
    """Return each shard's share for given first hash keys (ascending, the first is 0)."""
    edges = np.array([start / 2**128 for start in starts])
    index = np.searchsorted(edges, places, side="right") - 1
    return np.bincount(index, weights=weights, minlength=len(starts)).astype(np.float64)
