"""How often fixed windows refuse records that are all alike and come steadily: by the law, to the last digit.

Where the truth is within some per cent of the promise, no play of bearable length tells on which side it is:
12,000 seconds in which 12 may throttle are wrong in every other case. Here nothing has to be played. Each
second of each shard gets a Poisson number of records, by itself, and refuses one if more come than it takes.
"""

import math

import numpy as np

from differential.sizing.shard import BYTES, RECORDS
from differential.sizing.traffic import Floats

_BEYOND = 12  # standard deviations, and so many records more, beyond which nothing counts


def throttled_share(loads: Floats, size: int) -> float:
    """Return the share of seconds in which any shard refuses a record.

    Args:
        loads: Records a second on each shard.
        size: Bytes of each record, no more than a second takes.
    """
    taken = min(RECORDS, BYTES // size)
    counts = np.arange(taken + 1, taken + _BEYOND * (math.isqrt(taken) + 5))
    factorials = np.array([math.lgamma(count + 1) for count in counts.tolist()])
    used = loads[loads > 0][:, None]
    over = np.minimum(1.0, np.exp(counts * np.log(used) - used - factorials).sum(axis=1))
    return float(-np.expm1(np.log1p(-np.minimum(over, 1 - 1e-12)).sum()))
