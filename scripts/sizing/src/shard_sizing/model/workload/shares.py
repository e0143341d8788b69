"""Each key's share of a profile's load, by records and by bytes, in one order of keys."""

from typing import Final

import numpy as np

from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.profile import Profile
from shard_sizing.model.workload.zipf import zipf_shares

MOST_KEYS: Final = 200_000
"""Keys that are placed one by one; the load of any beyond is spread over these."""


def record_shares(profile: Profile, limit: int = MOST_KEYS) -> Floats:
    """Return each key's share of the records, known keys first and the others by the Zipf law; they sum to 1.

    Known keys come in the order of ``Profile.known_keys``: by records, then those heavy in bytes only.
    """
    return _shares(profile, np.array([key.record_share for key in profile.known_keys()]), limit)


def byte_shares(profile: Profile, limit: int = MOST_KEYS) -> Floats:
    """Return each key's share of the bytes, in the same order of keys as ``record_shares``."""
    return _shares(profile, np.array([key.byte_share for key in profile.known_keys()]), limit)


def _shares(profile: Profile, known: Floats, limit: int) -> Floats:
    count = min(profile.keys, limit)
    law = zipf_shares(max(count, known.size), profile.zipf.exponent)
    if not known.size:
        return law
    tail = law[known.size :]
    rest = max(0.0, 1.0 - float(known.sum()))
    whole = np.concatenate([known, tail * (rest / tail.sum())]) if tail.size else known
    normalised: Floats = whole / whole.sum()
    return normalised
