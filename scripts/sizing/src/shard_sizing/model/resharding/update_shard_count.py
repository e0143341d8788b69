"""AWS' rules of UpdateShardCount, and the counts by which it reaches a target.

From the API's own model (botocore 1.44.5, kinesis 2013-12-02), by default: at most double and at least half
of the open shards; up to 10,000 shards at most; a stream of more than 10,000 comes down only to fewer than
10,000; ten calls in a rolling 24 hours. AWS raises these on request; the limits file says which hold.
"""

import math
from typing import Final

from shard_sizing.model.data_files import Limits

_QUICK: Final = 4
"""A target that is a multiple of 25 % of the present count is reached sooner, says AWS."""


def update_shard_count_steps(current: int, target: int, limits: Limits) -> tuple[int, ...] | None:
    """Return the counts to ask for, one call each; None where the rules allow no way.

    Args:
        current: Open shards, at least 1.
        target: Shards wanted, at least 1.
        limits: What AWS allows.
    """
    most = limits.update_shard_count_most
    counts = [current]
    while counts[-1] != target:
        now = counts[-1]
        following = min(target, now * 2) if target > now else max(target, math.ceil(now / 2))
        if following > most or (now > most and following == most):
            return None
        counts.append(following)
    return tuple(counts[1:])


def is_quick(current: int, target: int) -> bool:
    """Whether a target is a multiple of 25 % of the present count."""
    return target * _QUICK % current == 0
