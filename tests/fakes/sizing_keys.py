"""Made-up key names, numbered, and what shards take of their load."""

from collections.abc import Sequence

import numpy as np

from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.placement import positions


def numbered_positions(count: int, name_set: int = 0) -> Floats:
    """Return where the keys of a set of names lie; set ``n`` numbers its keys from ``n * count``."""
    return positions(f"key-{i}" for i in range(name_set * count, (name_set + 1) * count))


def range_loads(positions: Floats, weights: Floats, starts: Sequence[int]) -> Floats:
    """Return each shard's share for given first hash keys (ascending, the first is 0)."""
    edges = np.array([start / 2**128 for start in starts])
    index = np.searchsorted(edges, positions, side="right") - 1
    return np.bincount(index, weights=weights, minlength=len(starts)).astype(np.float64)
