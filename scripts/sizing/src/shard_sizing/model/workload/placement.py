"""Which shard a key falls on: the MD5 of its name, as Kinesis does it; so names decide, not only shares."""

from collections.abc import Iterable
from hashlib import md5
from typing import Literal

import numpy as np

from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.profile import HashLoad, Profile

_HASHES = float(2**64)
_SPREAD = 8


def positions(names: Iterable[str]) -> Floats:
    """Return where each key lies in the hash space, from 0 to 1; 53 bits of MD5 locate a key."""
    digests = bytearray()
    for name in names:  # of up to millions of sub-keys no name is kept
        digests += md5(name.encode(), usedforsecurity=False).digest()[:8]
    whole: Floats = np.frombuffer(digests, dtype=">u8").astype(np.float64) / _HASHES
    return np.minimum(whole, np.nextafter(1.0, 0.0))


def placed(profile: Profile, measured: HashLoad, by: Literal["records", "bytes"]) -> tuple[Floats, Floats]:
    """Return where a measured load lies, from 0 to 1, and each position's share of its records or bytes.

    Args:
        profile: The workload.
        measured: What was measured of it: hot keys lie where they lie, the rest in parts of the hash space.
        by: What weighs.
    """
    parts = np.array(measured.by(by))
    known = profile.known_keys()
    hot = positions(key.key for key in known)
    hot_shares = np.array([key.byte_share if by == "bytes" else key.record_share for key in known])
    rest = parts - np.bincount((hot * parts.size).astype(np.int64), weights=hot_shares, minlength=parts.size)
    # Each part's rest is spread over it, so that a cut may go through it.
    offsets = (np.arange(_SPREAD) + 0.5) / _SPREAD
    middles = ((np.arange(parts.size)[:, None] + offsets[None, :]) / parts.size).ravel()
    spread = np.repeat(np.maximum(rest, 0.0) / _SPREAD, _SPREAD)
    weights = np.concatenate([hot_shares, spread])
    return np.concatenate([hot, middles]), weights / weights.sum()
