"""From events to a profile, in one pass and in bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from shard_sizing.errors import InputError
from shard_sizing.model.sampling.clump_counter import ClumpCounter
from shard_sizing.model.sampling.heavy_keys import By, HeavyKey, HeavyKeys
from shard_sizing.model.workload.arrivals import Arrivals, Ints
from shard_sizing.model.workload.clumps import Clumps
from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.profile import HotKey, KeyShare, Profile
from shard_sizing.model.workload.sizes import SizeCounter
from shard_sizing.model.workload.zipf import FITTED, fit_zipf

BATCH: Final = 100_000
"""Events that are best added at once."""

_HOT: Final = 100
_CERTAIN: Final = 0.1  # largest over-count of a key that is named, as a share of its count

Event = tuple[str, float, int]
"""A key, its time in seconds, and its bytes."""


class Events(NamedTuple):
    """Events in columns: of millions, a tuple and two numbers each are slow.

    Attributes:
        keys: Their keys.
        times: Their times in seconds.
        sizes: Their bytes.
    """

    keys: Sequence[str]
    times: Floats
    sizes: Ints


def events_of(keys: Sequence[str], times: Sequence[float], sizes: Sequence[int]) -> Events:
    """Return events by their keys, times in seconds, and bytes."""
    return Events(keys, np.array(times, dtype=np.float64), np.array(sizes, dtype=np.int64))


def sample(events: Iterable[Event], capacity: int = 20_000, span: tuple[int, int] | None = None) -> Profile:
    """Make a profile of events in any order.

    Args:
        events: The records of a workload.
        capacity: Keys that are counted by records, and as many by bytes; a profile lists all of its keys if
            there are no more than these.
        span: First and last second in which records were looked for; by default those of the events.

    Raises:
        InputError: No events, a size below zero, or times more than a year apart.
    """
    return sample_batches(_batches(events), capacity, span)


def sample_batches(
    batches: Iterable[Events], capacity: int = 20_000, span: tuple[int, int] | None = None
) -> Profile:
    """Make a profile as ``sample`` does, of events that come in batches; of about ``BATCH`` it is fastest."""
    sampler = Sampler(capacity)
    for batch in batches:
        sampler.add(batch)
    return sampler.profile(span)


def _batches(events: Iterable[Event]) -> Iterator[Events]:
    rest = iter(events)
    while batch := list(islice(rest, BATCH)):
        yield events_of(*zip(*batch, strict=True))


class Sampler:
    """Adds up events, a batch at a time.

    Args:
        capacity: As in ``sample``.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._heavy = HeavyKeys(capacity)
        self._clumps = ClumpCounter(capacity)
        self._arrivals = Arrivals()
        self._sizes = SizeCounter()
        self._count = self._bytes = 0

    def add(self, batch: Events) -> None:
        """Add events, at least one."""
        keys, at, sizes = batch
        if sizes.min() < 0:
            first = int(np.argmax(sizes < 0))
            raise InputError(
                f"event {self._count + first + 1}",
                f"its size {sizes[first]} is negative; sizes are bytes, 0 or more",
            )
        self._arrivals.add(at)
        self._sizes.add(sizes)
        self._heavy.add(keys, at, sizes)
        self._clumps.add(keys, at, sizes)
        self._count += len(keys)
        self._bytes += int(sizes.sum())

    def profile(self, span: tuple[int, int] | None = None) -> Profile:
        """Return the profile of all events so far."""
        if not self._count:
            raise InputError("input", "it holds no events: no row after the header")
        arrived = self._arrivals.over(*(span or (None, None)))
        sizes = self._sizes.sizes()
        keys = self._heavy.distinct()
        certain = self._heavy.certain_counts(FITTED, _CERTAIN)
        clumps = self._clumps.found(arrived, self._heavy)
        seconds = clumps.get("second", Clumps())
        middle = arrived.first + arrived.seconds / 2
        return Profile(
            rate=self._count / arrived.seconds,
            record_bytes=max(1.0, sizes.mean),
            burst_cv=arrived.burst_cv(seconds.company),
            keys=keys,
            zipf=fit_zipf(certain.counts, keys, float(self._count), certain.least, certain.one_in),
            sizes=sizes.atoms,
            kib_units=sizes.kib_units,
            put_units=sizes.put_units,
            peaks=arrived.peaks(),
            daily=arrived.daily(),
            seconds=float(arrived.seconds),
            clumps=clumps,
            hot_keys=self._hot("records", middle),
            hot_by_bytes=self._hot("bytes", middle),
            key_list=self._all(middle),
            records=self._count,
            max_bytes=sizes.max,
            resolution=arrived.resolution,
        )

    def _hot(self, by: By, middle: float) -> tuple[HotKey, ...]:
        records, volume = self._count, max(1, self._bytes)
        whole = records if by == "records" else volume
        return tuple(
            HotKey(
                heavy.key,
                heavy.records / records,
                heavy.bytes / volume,
                heavy.error / whole,
                _recurs(heavy, middle),
            )
            for heavy in self._heavy.top(by, _HOT, _CERTAIN)
        )

    def _all(self, middle: float) -> tuple[KeyShare, ...]:
        if not self._heavy.exact or len(self._heavy) > self._capacity:
            return ()
        records, volume = self._count, max(1, self._bytes)
        return tuple(
            KeyShare(heavy.key, heavy.records / records, heavy.bytes / volume, _recurs(heavy, middle))
            for heavy in self._heavy.top("records", self._capacity)
        )


def _recurs(heavy: HeavyKey, middle: float) -> bool:
    """Return whether a key of the span's first half recurs in the second: then it is likely to go on."""
    return heavy.first < middle <= heavy.last
