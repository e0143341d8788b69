"""More shards by halving the widest, fewer by merging the narrowest, where no call makes equal ones.

    4 shards, 5 wanted    |----|----|----|----|   ->   |--|--|----|----|----|
    4 shards, 3 wanted    |----|----|----|----|   ->   |---------|----|----|

As many steps as shards are to come or to go, where equal ranges would move every boundary.
"""

import heapq
from collections.abc import Sequence

from shard_sizing.model.resharding.planner import HASH_SPACE


def halved_starts(current: Sequence[int], shards: int) -> tuple[int, ...]:
    """Return the first hash keys of so many shards, as few steps from the current ones as there can be.

    Args:
        current: First hash keys of the open shards, ascending from 0.
        shards: How many there are to be, at least 1.
    """
    return _split(current, shards) if shards >= len(current) else _merged(current, shards)


def _split(current: Sequence[int], shards: int) -> tuple[int, ...]:
    ends = (*current[1:], HASH_SPACE)
    widest = [(start - end, start) for start, end in zip(current, ends, strict=True)]
    heapq.heapify(widest)
    while len(widest) < shards:
        negative, start = heapq.heappop(widest)
        half = -negative // 2
        heapq.heappush(widest, (-half, start))
        heapq.heappush(widest, (negative + half, start + half))
    return tuple(sorted(start for _, start in widest))


def _merged(current: Sequence[int], shards: int) -> tuple[int, ...]:
    before = dict(zip(current[1:], current, strict=False))
    after = {start: boundary for boundary, start in before.items()} | {current[-1]: HASH_SPACE}
    narrowest = [(after[boundary] - start, boundary) for boundary, start in before.items()]
    heapq.heapify(narrowest)
    while len(after) > shards:
        width, boundary = heapq.heappop(narrowest)
        if boundary not in before or width != after[boundary] - before[boundary]:
            continue  # gone, or a neighbour has grown: then it waits elsewhere in the heap
        start, end = before.pop(boundary), after.pop(boundary)
        after[start] = end
        if end in before:
            before[end] = start
            heapq.heappush(narrowest, (after[end] - start, end))
        if start in before:
            heapq.heappush(narrowest, (end - before[start], start))
    return tuple(sorted(after))
