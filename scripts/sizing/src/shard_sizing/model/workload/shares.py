"""Each key's share of a profile's load, by records and by bytes, in one order of keys.

Of more keys than can be placed one by one, the light ones form groups of neighbouring ranks: an entry is
then the share of one of them, and says how many there are.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.profile import Profile
from shard_sizing.model.workload.zipf import zipf_shares

MOST_KEYS: Final = 200_000
"""Keys up to which each has an entry of its own."""

_SINGLE: Final = 20_000  # ranks with an entry of their own, where there are more keys than that
_WIDTH: Final = 1.02  # of a group: its last rank over its first

Counts = npt.NDArray[np.int64]


def record_shares(profile: Profile) -> Floats:
    """Return one key's share of the records by entry, known keys first and the others by the Zipf law.

    Known keys come in the order of ``Profile.known_keys``: by records, then those heavy in bytes only. Shares
    times ``key_counts`` sum to 1.
    """
    return _shares(profile, np.array([key.record_share for key in profile.known_keys()]))


def byte_shares(profile: Profile) -> Floats:
    """Return one key's share of the bytes, in the same order of entries as ``record_shares``."""
    return _shares(profile, np.array([key.byte_share for key in profile.known_keys()]))


def key_counts(profile: Profile) -> Counts:
    """Return how many keys each entry represents."""
    return np.diff(_ranks(profile))


def _ranks(profile: Profile) -> Counts:
    """Return the first rank of each entry, and last the rank after all."""
    known = len(profile.known_keys())
    count = max(profile.keys, known)
    if count <= MOST_KEYS:
        return np.arange(1, count + 2, dtype=np.int64)
    single = max(_SINGLE, known)
    groups = np.ceil(np.log((count + 1) / (single + 1)) / np.log(_WIDTH)) + 1
    wide = np.geomspace(single + 1, count + 1, int(groups)).round().astype(np.int64)
    return np.concatenate([np.arange(1, single + 1, dtype=np.int64), np.unique(wide)])


def _shares(profile: Profile, known: Floats) -> Floats:
    ranks = _ranks(profile)
    counts = np.diff(ranks)
    law = _law(ranks, profile.zipf.exponent)
    if not known.size:
        return law
    tail, many = law[known.size :], counts[known.size :]
    rest = max(0.0, 1.0 - float(known.sum()))
    whole = np.concatenate([known, tail * (rest / float(tail @ many))]) if tail.size else known
    normalised: Floats = whole / float(whole @ counts)
    return normalised


def _law(ranks: Counts, exponent: float) -> Floats:
    counts = np.diff(ranks)
    if ranks[-1] - 1 == counts.size:
        return zipf_shares(counts.size, exponent)
    # Of a group, the weight of its middle rank: within 2 % of its width the law is straight.
    weights = ((ranks[:-1] + ranks[1:] - 1) / 2.0) ** -exponent
    law: Floats = weights / float(weights @ counts)
    return law
