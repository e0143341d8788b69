"""How many shards are enough if their ranges are cut by the load, as a targeted plan cuts them."""

import math
from typing import Final

import numpy as np

from shard_sizing.model.capacity.demand import Question
from shard_sizing.model.resharding.planner import fill
from shard_sizing.model.workload.keys import Keys, Loads, scales_of
from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.shares import Counts

MOST_SHARDS: Final = 20_000
"""The largest default quota of an account in any Region."""

_NEAR: Final = 1.001  # bounds of a range's load that count as equal
_MOST_KEYS: Final = 2_000_000  # a hundred for each shard of the largest stream, so that no key is a lump


def targeted_shards(question: Question, reading: int, rng: np.random.Generator) -> int | None:
    """Return the shards needed if they are cut between keys by their load; None where no number is enough.

    Args:
        question: The demand.
        reading: The index of the reading of the limits.
        rng: Draws the positions of keys whose names are not known.
    """
    keys = question.keys
    counts, each = _thinned(keys)
    key_positions = np.concatenate([keys.positions, rng.random(int(counts.sum()))])
    shares = np.concatenate([keys.placed, np.repeat(each, counts, axis=0)])
    order = np.argsort(key_positions)
    shares = shares[order]
    weight = shares[:, 0 if question.law.binding == "records" else 1]
    loads = np.cumsum(weight)
    columns = np.ascontiguousarray(shares[:, : keys.columns].T)

    def enough(bound: float) -> int | None:
        firsts = fill(loads, bound)
        cut = np.add.reduceat(columns, firsts, axis=1)[:, None, :]
        records, volume = cut[0], cut[min(1, keys.columns - 1)]
        fits = question.fits(
            Loads(
                records,
                records if keys.columns == 1 else volume,
                scales_of(np.moveaxis(cut, 0, -1), keys.lump) if keys.columns >= 3 else None,
                read=cut[3] if keys.columns > 3 else None,
            )
        )
        return len(firsts) if fits[0, reading] else None

    high = 1.0
    if enough(high):
        return 1
    low = max(float(weight.max()), 1 / MOST_SHARDS)
    best = enough(low)
    if best is None:
        return None
    while high > low * _NEAR:
        middle = math.sqrt(low * high)
        found = enough(middle)
        if found is None:
            high = middle
        else:
            low, best = middle, min(best, found)
    return best


def _thinned(keys: Keys) -> tuple[Counts, Floats]:
    """Return the groups of keys whose positions are not known, of no more keys than can be cut between.

    Of a group that is too large, so many are taken together that they are as many as the others' part allows.
    """
    counts = np.array(keys.counts, dtype=np.int64)
    if counts.sum() <= _MOST_KEYS:
        return counts, keys.each
    fewer = np.minimum(counts, max(1, _MOST_KEYS // counts.size))
    return fewer, keys.each * (counts / fewer)[:, None]
