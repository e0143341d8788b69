"""How many shards are enough if their ranges are cut by the load, as a targeted plan cuts them."""

import math
from typing import Final

import numpy as np

from shard_sizing.model.capacity.demand import Question
from shard_sizing.model.resharding.planner import fill
from shard_sizing.model.workload.keys import Loads, scales_of

MOST_SHARDS: Final = 20_000
"""The largest default quota of an account in any Region."""

_HALVINGS: Final = 16


def targeted_shards(question: Question, reading: int, rng: np.random.Generator) -> int | None:
    """Return the shards needed if they are cut between keys by their load; None where no number is enough.

    Args:
        question: The demand.
        reading: The index of the reading of the limits.
        rng: Places the keys whose names are not known.
    """
    keys = question.keys
    counts = np.array(keys.counts, dtype=np.int64)
    places = np.concatenate([keys.places, rng.random(int(counts.sum()))])
    shares = np.concatenate([keys.placed, np.repeat(keys.each, counts, axis=0)])
    order = np.argsort(places)
    shares = shares[order]
    weight = shares[:, 0 if question.law.binding == "records" else 1]
    loads = np.cumsum(weight)

    def enough(bound: float) -> int | None:
        firsts = fill(loads, bound)
        cut = np.add.reduceat(shares, firsts, axis=0)
        scale = None if keys.columns < 3 else scales_of(cut, keys.lump)[None, :]
        fits = question.fits(Loads(cut[None, :, 0], cut[None, :, 1], scale, read=cut[None, :, 3]))
        return len(firsts) if fits[0, reading] else None

    low = max(float(weight.max()), 1 / MOST_SHARDS)
    best = enough(low)
    if best is None:
        return None
    high = 1.0
    if enough(high):
        return 1
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        found = enough(middle)
        if found is None:
            high = middle
        else:
            low, best = middle, min(best, found)
    return best
