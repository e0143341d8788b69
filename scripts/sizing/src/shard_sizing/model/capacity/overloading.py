"""How many keys are too heavy for a shard of their own."""

from bisect import bisect_left

import numpy as np

from shard_sizing.model.capacity.demand import TARGET, Question
from shard_sizing.model.workload.keys import Loads


def overloading(question: Question) -> int:
    """Return how many keys, sub-keys among them, each throttle a shard of their own for too many seconds.

    Lighter keys throttle less, so that the lightest of the heavy ones is found by halving.
    """
    apart = question.keys.apart()
    order = np.argsort(-np.maximum(apart.records, apart.bytes)[0], kind="stable")

    def bears(rank: int) -> bool:
        at = order[rank : rank + 1]
        scale, read = (None if column is None else column[:, at] for column in (apart.scale, apart.read))
        alone = Loads(apart.records[:, at], apart.bytes[:, at], scale, read=read)
        return bool((question.law.throttled(alone) <= TARGET).all())

    heavy = bisect_left(range(order.size), True, key=bears)
    return int(question.keys.numbers[order[:heavy]].sum())
