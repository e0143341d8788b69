"""Finds the clumps of a stream in bounded memory: pairs of an interval and a key, the heaviest of them all.

    batch ──> seconds ──> minutes ──> hours, each pair of a batch once
                │           │          │
                └───────────┴──────────┴──> pairs ──over three times the capacity──> the heaviest stay, and
                                                                          those of the last intervals
In the order of time an interval that has passed gets no more records, so a pair that leaves never comes back,
and every count is certain. In any other order a pair may come back, and may have had as much before as the
heaviest pair that ever left: this is its error.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shard_sizing.model.sampling.heavy_keys import HeavyKeys
from shard_sizing.model.workload.arrivals import Ints, Span
from shard_sizing.model.workload.clumps import RANKS, Clump, Clumps
from shard_sizing.model.workload.peaks import INTERVALS, Floats, Interval

Names = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]

_ROOM: Final = 3  # times the capacity are held before pairs leave: many at once, which is fast
_OPEN: Final = 5  # intervals, the last ones, that are taken to be still under way
_MIX: Final = np.int64(-7046029254386353131)  # an odd number of 64 bits, without a pattern
_SURE: Final = 6.0  # standard deviations of chance
_LITTLE: Final = 0.05  # records that come with a record: below, nothing follows from it
_FEW: Final = 3  # records that any key may have in an interval by chance
_BEYOND: Final = (0.01, 0.001, 0.0)
"""The share of intervals that exceed the 99th percentile, that of a thousand, and the maximum."""


class Pairs(NamedTuple):
    """Keys in intervals.

    Attributes:
        interval: The number of each one's interval since 1970.
        key: Its key.
        counts: Its records, and below them its bytes.
    """

    interval: Ints
    key: Names
    counts: Floats

    def where(self, these: Bools) -> "Pairs":
        """Return some of them."""
        return Pairs(self.interval[these], self.key[these], self.counts[:, these])


class Part(NamedTuple):
    """A part of the stream, or what is left of it when records of one key and one time are added up.

    Attributes:
        keys: Keys.
        hashes: Their hashes.
        times: Their times in whole seconds.
        counts: Their records, and below them their bytes.
    """

    keys: Names
    hashes: Ints
    times: Ints
    counts: Floats


class PairCounter:
    """Counts the records of each key in each interval of one length.

    Args:
        seconds: The length of an interval.
        capacity: Pairs kept by records, and as many by bytes.
    """

    def __init__(self, seconds: int, capacity: int) -> None:
        self.seconds = seconds
        self._capacity = capacity
        self._codes = np.zeros(0, dtype=np.int64)
        self._pairs = Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object), np.zeros((2, 0)))
        self._errors = np.zeros((2, 0))
        self._floor = np.zeros(2)
        self._left_from = -(2**62)  # the last interval that a pair has left
        self._late = False
        self._squares = 0.0

    @property
    def error(self) -> float:
        """Records per second that a key may have had in an interval without being seen."""
        return float(self._floor[0]) / self.seconds if self._late else 0.0

    @property
    def pairs(self) -> Pairs:
        """The pairs that are held."""
        return self._pairs

    def add(self, part: Part) -> Part:
        """Count a part of the stream, and return it with each pair added up, at the start of its interval."""
        intervals = part.times // self.seconds
        codes, index = np.unique(part.hashes ^ (intervals * _MIX), return_inverse=True)
        one = np.empty(codes.size, dtype=np.int64)
        one[index] = np.arange(index.size)  # any of each pair: its first would take a slower sort
        counts = np.stack([np.bincount(index, row) for row in part.counts]).astype(np.float64)
        keys, intervals = part.keys[one], intervals[one]
        self._merge(codes, Pairs(intervals, keys, counts))
        return Part(keys, part.hashes[one], intervals * self.seconds, counts)

    def _merge(self, codes: Ints, new: Pairs) -> None:
        held, before = self._codes.size, self._pairs
        # Two ascending runs: a stable sort only merges them.
        self._codes, first, index = np.unique(
            np.concatenate([self._codes, codes]), return_index=True, return_inverse=True
        )
        intervals = np.concatenate([before.interval, new.interval])
        keys = np.concatenate([before.key, new.key])
        counts = np.zeros((2, first.size))
        counts[:, index[:held]] = before.counts
        counts[:, index[held:]] += new.counts
        self._pairs = Pairs(intervals[first], keys[first], counts)
        self._squares += float((counts[0] ** 2).sum() - (before.counts[0] ** 2).sum())
        errors = np.zeros((2, first.size))
        errors[:, index[:held]] = self._errors
        late = (first >= held) & (self._pairs.interval <= self._left_from)
        errors[:, late] = self._floor[:, None]
        self._late |= bool(late.any())
        self._errors = errors
        if first.size > _ROOM * self._capacity:
            self._evict()

    def company(self, span: Span, keys: HeavyKeys) -> float:
        """Return how many other records of its key come with a record, beyond chance; see ``Clumps``.

        Of n records in an interval and a key with a share of p, chance makes n(n-1)pp pairs of records. It is
        0 within four standard errors.
        """
        records, squares, cubes = span.moments(self.seconds)
        share_squares, share_cubes = keys.moments()
        found = (self._squares - records - squares * share_squares) / records
        uneven = max(0.0, cubes - squares**2 / records)
        error = math.sqrt(2 * squares * share_squares + 4 * uneven * share_cubes) / records
        return found if found > max(_LITTLE, 4 * error) else 0.0

    def _evict(self) -> None:
        most = self._pairs.counts + self._errors
        under_way = self._pairs.interval > self._pairs.interval.max() - _OPEN
        keep = under_way if under_way.sum() <= _ROOM * self._capacity else np.zeros(most.shape[1], np.bool_)
        for row in most:
            keep[np.argpartition(row, -self._capacity)[-self._capacity :]] = True
        self._floor = np.maximum(self._floor, most[:, ~keep].max(axis=1, initial=0.0))
        self._left_from = max(self._left_from, int(self._pairs.interval[~keep].max(initial=self._left_from)))
        self._codes, self._errors = self._codes[keep], self._errors[:, keep]
        self._pairs = self._pairs.where(keep)


class ClumpCounter:
    """Counts the clumps of seconds, minutes and hours.

    Args:
        capacity: Pairs of each length that are kept by records, and as many by bytes.
    """

    def __init__(self, capacity: int) -> None:
        self._counters: dict[Interval, PairCounter] = {
            name: PairCounter(seconds, capacity) for name, seconds in INTERVALS.items()
        }

    def add(self, keys: Sequence[str], times: Floats, sizes: Ints) -> None:
        """Count records by their keys, times in seconds, and bytes."""
        part = Part(
            np.array(keys, dtype=object),
            np.fromiter(map(hash, keys), dtype=np.int64, count=len(keys)),
            np.floor(times).astype(np.int64),
            np.stack([np.ones(times.size), sizes.astype(np.float64)]),
        )
        for counter in self._counters.values():  # shortest intervals first: each leaves less to the next
            part = counter.add(part)

    def found(self, span: Span, keys: HeavyKeys) -> dict[Interval, Clumps]:
        """Return the clumps of each length of interval that the times show.

        Args:
            span: All arrivals.
            keys: The keys of all of them.
        """
        known = {
            name: _beyond_chance(counter, span, keys)
            for name, counter in self._counters.items()
            if counter.seconds >= span.resolution
        }
        error = max((self._counters[each].error for each in known), default=0.0)
        found = {}
        for name in known:
            if INTERVALS[name] <= span.seconds:
                p99, p999, largest = (tuple(_ranked(known, name, span, beyond)) for beyond in _BEYOND)
                company = self._counters[name].company(span, keys)
                found[name] = Clumps(p99, p999, largest, company, error)
        return found


def _beyond_chance(counter: PairCounter, span: Span, keys: HeavyKeys) -> Pairs:
    """Return the pairs that their keys' shares of the file do not explain."""
    pairs = counter.pairs.where(counter.pairs.counts[0] > _FEW)
    arrived = span.arrived(pairs.interval * counter.seconds, counter.seconds)
    expected = arrived * keys.record_shares(pairs.key)
    return pairs.where(pairs.counts[0] > expected + _SURE * np.sqrt(expected) + _FEW)


def _ranked(known: dict[Interval, Pairs], name: Interval, span: Span, beyond: float) -> Iterator[Clump]:
    """Yield the clumps that so small a share of the intervals exceeds, heaviest first.

    The heaviest key of an interval is ranked against the heaviest of the others, the second against the
    second: together they are at least what any interval has but for that share.
    """
    rates = {
        (each, row): _by_rank(pairs, row, INTERVALS[each]) for each, pairs in known.items() for row in (0, 1)
    }
    for rank, keys in RANKS:
        lasting, busiest = np.zeros(2), np.zeros(2)
        key = ""
        for (each, row), ranks in rates.items():
            if rank >= len(ranks):
                continue
            rate, of = _exceeded(ranks[rank], INTERVALS[each], INTERVALS[name], span.seconds, beyond)
            if INTERVALS[each] >= INTERVALS[name]:
                lasting[row] = max(lasting[row], rate)
            if rate > busiest[row]:
                busiest[row] = rate
                key = of if row == 0 else key
        if not busiest.any():
            return
        (records, volume), (lasting_records, lasting_bytes) = busiest.tolist(), lasting.tolist()
        yield Clump(key, records, volume, lasting_records, lasting_bytes, keys)


def _by_rank(pairs: Pairs, row: int, seconds: int) -> list[tuple[Ints, Names, Floats]]:
    """Return, for each rank, the intervals that have a clump of it, its key, and its rate."""
    rates = pairs.counts[row] / seconds
    order = np.lexsort((-rates, pairs.interval))
    interval, key, rates = pairs.interval[order], pairs.key[order], rates[order]
    new = np.flatnonzero(np.diff(interval, prepend=interval[:1] - 1))
    rank = np.arange(interval.size) - np.repeat(new, np.diff(new, append=interval.size))
    order = np.argsort(rank, kind="stable")
    cuts = np.searchsorted(rank[order], np.arange(1, int(rank.max(initial=-1)) + 1))
    return [(interval[these], key[these], rates[these]) for these in np.split(order, cuts) if these.size]


def _exceeded(
    of_rank: tuple[Ints, Names, Floats], seconds: int, length: int, span: int, beyond: float
) -> tuple[float, str]:
    """Return the rate that a share of the intervals of a length exceeds, and whose it is.

    Args:
        of_rank: Intervals, keys and rates of one rank.
        seconds: The length of those intervals; a longer one is as busy in all of its parts.
        length: The length of the intervals that are meant; the busiest part of each counts.
        span: Seconds of all intervals.
        beyond: The share.
    """
    interval, key, rates = of_rank
    order = np.argsort(-rates, kind="stable")
    if seconds < length:
        parts = interval[order] * seconds // length
        order = order[np.sort(np.unique(parts, return_index=True)[1])]
    exceeding = int(beyond * -(-span // max(seconds, length)))
    return (float(rates[order[exceeding]]), key[order[exceeding]]) if exceeding < order.size else (0.0, "")
