"""From events to a profile, in one pass and in bounded memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from typing import Final

import numpy as np

from shard_sizing.errors import InputError
from shard_sizing.model.profile import Floats, HotKey, Profile, Rates, fit_zipf
from shard_sizing.model.space_saving import SpaceSaving

_BATCH: Final = 100_000
_CELLS: Final = 2**22  # of the linear counter: a few per cent of error at ten million distinct keys
_MOST_INTERVALS: Final = 366 * 86_400
_HOT: Final = 20
_RESOLUTIONS: Final = (86_400, 3_600, 60)  # steps in which files are known to tell their times

Event = tuple[str, float, int]
"""A key, its time in seconds, and its bytes."""


def sample(events: Iterable[Event], capacity: int = 256) -> Profile:
    """Make a profile of events in any order.

    Args:
        events: What was sent.
        capacity: Counters of each Space-Saving sketch, at least 256 for the heaviest 20 keys.

    Raises:
        InputError: No events, a size below zero, or times more than a year apart.
    """
    sampler, rest = _Sampler(capacity), iter(events)
    while batch := list(islice(rest, _BATCH)):
        sampler.add(batch)
    return sampler.profile()


class _Sampler:
    def __init__(self, capacity: int) -> None:
        self._by_records = SpaceSaving(capacity)
        self._by_bytes = SpaceSaving(capacity)
        self._seconds: Counter[int] = Counter()
        self._cells = np.zeros(_CELLS, dtype=np.bool_)
        self._count = self._volume = self._largest = 0
        self._whole_seconds = True

    def add(self, batch: list[Event]) -> None:
        keys, times, sizes = zip(*batch, strict=True)
        if min(sizes) < 0:
            first = next(number for number, size in enumerate(sizes, self._count + 1) if size < 0)
            size = sizes[first - self._count - 1]
            raise InputError(f"event {first}", f"its size {size} is negative; sizes are bytes, 0 or more")
        volumes: defaultdict[str, int] = defaultdict(int)
        for key, size in zip(keys, sizes, strict=True):
            volumes[key] += size
        at = np.array(times)
        seconds = np.floor(at)
        self._whole_seconds &= bool((seconds == at).all())
        distinct, counts = np.unique(seconds.astype(np.int64), return_counts=True)
        for second, count in zip(distinct.tolist(), counts.tolist(), strict=True):
            self._seconds[second] += count
        self._by_records.add(Counter(keys).items())
        self._by_bytes.add(volumes.items())
        digests = b"".join(blake2b(key.encode(), digest_size=8).digest() for key in volumes)
        self._cells[np.frombuffer(digests, dtype="<u8") % _CELLS] = True
        self._count += len(batch)
        self._volume += sum(sizes)
        self._largest = max(self._largest, *sizes)

    def profile(self) -> Profile:
        if not self._count:
            raise InputError("input", "it holds no events")
        step = self._resolution()
        counts = self._counts(step)
        rate = float(counts.mean()) / step
        empty = max(1, _CELLS - int(self._cells.sum()))
        keys = max(1, round(-_CELLS * float(np.log(empty / _CELLS))))
        heavy = np.array([count for _, count, _ in self._by_records.top(min(100, keys))])
        by_minute = counts if step >= 60 else np.add.reduceat(counts, np.arange(0, counts.size, 60))
        return Profile(
            rate=rate,
            record_bytes=max(1.0, self._volume / self._count),
            # What the variance has beyond a Poisson process of the same mean is burstiness. Within a step
            # longer than a second it cannot be known.
            burst_cv=float(np.sqrt(max(0.0, counts.var() - rate))) / rate if step == 1 else 0.0,
            keys=keys,
            zipf=fit_zipf(heavy, min(keys, 200_000), float(self._count)),
            hot_keys=self._hot(self._by_records, self._count),
            hot_by_bytes=self._hot(self._by_bytes, self._volume),
            per_second=_rates(counts) if step == 1 else None,
            per_minute=_rates(by_minute) if step <= 60 else None,
            records=self._count,
            max_bytes=self._largest,
            resolution=step,
        )

    def _resolution(self) -> int:
        if not self._whole_seconds or len(self._seconds) < 2:
            return 1
        return next((step for step in _RESOLUTIONS if all(s % step == 0 for s in self._seconds)), 1)

    def _counts(self, step: int) -> Floats:
        first, last = min(self._seconds), max(self._seconds)
        if last - first >= _MOST_INTERVALS:
            raise InputError("input", "its times are more than a year apart; check the column and its unit")
        counts = np.zeros((last - first) // step + 1)
        for second, count in self._seconds.items():
            counts[(second - first) // step] = count
        return counts

    def _hot(self, sketch: SpaceSaving, whole: int) -> tuple[HotKey, ...]:
        records = {key: count for key, count, _ in self._by_records.top(self._count)}
        volumes = {key: volume for key, volume, _ in self._by_bytes.top(self._count)}
        mean = self._volume / self._count
        hot = []
        for key, weight, error in sketch.top(_HOT):
            # A key that only one sketch holds is taken to have records of the mean size.
            count = records.get(key, min(weight / max(1.0, mean), self._count))
            volume = volumes.get(key, count * mean)
            shares = count / self._count, volume / max(1, self._volume)
            hot.append(HotKey(key, *shares, error / max(1, whole)))
        return tuple(hot)


def _rates(counts: Floats) -> Rates:
    p50, p99, p999 = (float(x) for x in np.percentile(counts, [50, 99, 99.9]))
    return Rates(float(counts.mean()), p50, p99, p999)
