"""A whole stream, record by record: in which seconds did any of its shards refuse one.

``play`` is the definition. The others do the same faster: they find by arithmetic on all records at once
where none can be refused, and play only the rest record by record.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from differential.sizing.shard import BYTES, RECORDS, Shard, fixed_window, token_bucket
from differential.sizing.traffic import Floats, Ints

SECOND_OF_BYTES: Final = BYTES


@dataclass(frozen=True, slots=True)
class Played:
    """What happened.

    Attributes:
        seconds: Those in which any shard refused a record.
        refused: Records refused at their first attempt.
    """

    seconds: frozenset[int] = frozenset()
    refused: int = 0

    @property
    def throttled(self) -> int:
        """How many seconds these are."""
        return len(self.seconds)


class Lacking(NamedTuple):
    """What the buckets of stretches lack when they begin, at most.

    Attributes:
        at: When each stretch begins, in seconds.
        records: What its bucket of records lacks.
        bytes: What its bucket of bytes lacks.
    """

    at: Floats
    records: Floats
    bytes: Floats


@dataclass(frozen=True, slots=True)
class Stretches:
    """Records in the order of their shards and times, and the stretches in which one may be refused.

    Attributes:
        at: Their times.
        size: Their bytes.
        stretch: The stretch of each: nothing is lacking when one begins.
        over: Whether a record of its stretch is refused.
        uncertain: Whether one is whose stretch began with buckets that may have lacked something.
    """

    at: Floats
    size: Ints
    stretch: Ints
    over: npt.NDArray[np.bool_]
    uncertain: bool


def play(shard: Ints, at: Floats, size: Ints, new_shard: Callable[[], Shard]) -> Played:
    """Hand each record to its shard, in the order of time.

    Args:
        shard: The shard of each record, from 0.
        at: Its time, in seconds.
        size: Its bytes.
        new_shard: Makes a shard that has taken nothing yet.
    """
    shards: dict[int, Shard] = {}
    refused = []
    for number in np.argsort(at, kind="stable").tolist():
        put = shards.setdefault(int(shard[number]), new_shard())
        if not put(float(at[number]), int(size[number])):
            refused.append(int(at[number]))
    return Played(frozenset(refused), len(refused))


def play_windows(shard: Ints, at: Floats, size: Ints) -> Played:
    """Do as ``play`` with fixed windows.

    A window refuses a record if and only if more is put into it than it takes.
    """
    width = int(shard.max(initial=0)) + 1
    window = at.astype(np.int64) * width + shard
    records = np.bincount(window)
    volume = np.bincount(window, weights=size)
    over = (records > RECORDS) | (volume > BYTES)
    return _replay(over[window], window, at, size, fixed_window)


def play_buckets(shard: Ints, at: Floats, size: Ints, byte_burst: int = SECOND_OF_BYTES) -> Played:
    """Do as ``play`` with token buckets.

    What a bucket lacks is reckoned as if nothing were refused, which is at least what it truly lacks. When
    neither bucket lacks anything, what happened before no longer matters; so only those stretches between
    such moments are played in which more than a bucket holds is lacking.
    """
    return replay_stretches(bucket_stretches(shard, at, size, byte_burst), byte_burst)


def bucket_stretches(
    shard: Ints, at: Floats, size: Ints, byte_burst: int, lacking: Lacking | None = None
) -> Stretches:
    """Find where token buckets refuse a record, if those that begin less than full lack at most so much.

    One that lacks something is like one that gave that much to a record at its beginning.
    """
    records, volume = np.ones(at.size), size.astype(np.float64)
    begins = 0 if lacking is None else lacking.at.size
    if lacking is not None:
        shard = np.concatenate([np.arange(begins), shard])
        at, size = np.concatenate([lacking.at, at]), np.concatenate([np.zeros(begins, np.int64), size])
        records, volume = np.concatenate([lacking.records, records]), np.concatenate([lacking.bytes, volume])
    order = np.argsort(shard * np.ceil(at.max(initial=0.0) + 1.0) + at, kind="stable")
    shard, at, size = shard[order], at[order], size[order]
    by_records, over_records = _lacking(shard, at, records[order], RECORDS, RECORDS)
    by_bytes, over_bytes = _lacking(shard, at, volume[order], BYTES, byte_burst)
    stretch = np.cumsum((by_records == 0) & (by_bytes == 0))
    over = np.zeros(at.size + 1, dtype=np.bool_)
    over[stretch[over_records | over_bytes]] = True
    uncertain = bool(over[stretch[order < begins]].any())
    return Stretches(at, size, stretch, over[stretch] & (order >= begins), uncertain)


def replay_stretches(found: Stretches, byte_burst: int) -> Played:
    """Play the stretches in which a record is refused."""
    return _replay(found.over, found.stretch, found.at, found.size, partial(token_bucket, byte_burst))


def _lacking(
    shard: Ints, at: Floats, weight: Floats, refill: float, burst: float
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return what the bucket lacks before each record, none being refused, and whether it then overflows."""
    total, longest = float(weight.sum()), float(at.max(initial=0.0))
    # Each shard begins far below where the one before it can have been, so the least so far is its own.
    apart = total + refill * longest + 1.0
    before = np.cumsum(weight) - weight - refill * at - shard * apart
    lacking: Floats = before - np.minimum.accumulate(before)
    return lacking, lacking + weight > burst


def _replay(
    these: npt.NDArray[np.bool_], group: Ints, at: Floats, size: Ints, new_shard: Callable[[], Shard]
) -> Played:
    """Play the chosen records, each group as a shard by itself."""
    seconds: set[int] = set()
    refused = 0
    for times, volumes in _groups(np.flatnonzero(these), group, at, size):
        put = new_shard()
        late = [int(time) for time, volume in zip(times, volumes, strict=True) if not put(time, volume)]
        seconds.update(late)
        refused += len(late)
    return Played(frozenset(seconds), refused)


def _groups(these: Ints, group: Ints, at: Floats, size: Ints) -> Iterator[tuple[list[float], list[int]]]:
    these = these[np.lexsort((at[these], group[these]))]
    cuts = np.flatnonzero(np.diff(group[these])) + 1
    for part in np.split(these, cuts) if these.size else ():
        yield at[part].tolist(), size[part].tolist()
