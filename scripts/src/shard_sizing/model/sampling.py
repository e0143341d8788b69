"""From events to a profile, in one pass and in bounded memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import numpy as np

from shard_sizing.errors import InputError
from shard_sizing.model.profile import HotKey, Profile, Rates, fit_zipf
from shard_sizing.model.space_saving import SpaceSaving

_BATCH: Final = 100_000
_CELLS: Final = 2**22  # of the linear counter: a few per cent of error at ten million distinct keys
_MOST_INTERVALS: Final = 366 * 86_400

Event = tuple[str, float, int]
"""A key, its time in seconds, and its bytes."""


def sample(events: Iterable[Event], capacity: int = 256) -> Profile:
    """Make a profile of events in any order.

    Raises:
        InputError: No events, a size below zero, or times more than a year apart.
    """
    sampler = _Sampler(capacity)
    for key, at, size in events:
        sampler.add(key, at, size)
    return sampler.profile()


class _Sampler:
    def __init__(self, capacity: int) -> None:
        self._by_records = SpaceSaving(capacity)
        self._by_bytes = SpaceSaving(capacity)
        self._records: Counter[str] = Counter()
        self._bytes: defaultdict[str, int] = defaultdict(int)
        self._seconds: defaultdict[int, int] = defaultdict(int)
        self._cells = np.zeros(_CELLS, dtype=np.bool_)
        self._pending = self._count = self._volume = self._largest = 0

    def add(self, key: str, at: float, size: int) -> None:
        if size < 0:
            raise InputError(
                f"event {self._count + 1}", f"its size {size} is negative; sizes are bytes, 0 or more"
            )
        self._records[key] += 1
        self._bytes[key] += size
        self._seconds[int(at)] += 1
        self._count += 1
        self._volume += size
        self._largest = max(self._largest, size)
        self._pending += 1
        if self._pending >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._by_records.add(self._records.items())
        self._by_bytes.add(self._bytes.items())
        digests = b"".join(blake2b(key.encode(), digest_size=8).digest() for key in self._records)
        self._cells[np.frombuffer(digests, dtype="<u8") % _CELLS] = True
        self._records.clear()
        self._bytes.clear()
        self._pending = 0

    def profile(self) -> Profile:
        if not self._count:
            raise InputError("input", "it holds no events")
        self._flush()
        first, last = min(self._seconds), max(self._seconds)
        if last - first >= _MOST_INTERVALS:
            raise InputError("input", "its times are more than a year apart; check the column and its unit")
        counts = np.zeros(last - first + 1)
        for second, count in self._seconds.items():
            counts[second - first] = count
        rate = float(counts.mean())
        # What the variance has beyond a Poisson process of the same mean is burstiness.
        cv = float(np.sqrt(max(0.0, counts.var() - rate))) / rate
        empty = max(1, _CELLS - int(self._cells.sum()))
        keys = max(1, round(-_CELLS * float(np.log(empty / _CELLS))))
        top = self._by_records.top(256)
        heavy = np.array([count for _, count, _ in top])[: min(100, keys)]
        volumes = {key: volume for key, volume, _ in self._by_bytes.top(256)}
        hot = tuple(
            HotKey(
                key,
                count / self._count,
                volumes.get(key, count * self._volume / self._count) / max(1, self._volume),
                error / self._count,
            )
            for key, count, error in top[:20]
        )
        minutes = np.add.reduceat(counts, np.arange(0, counts.size, 60))
        return Profile(
            rate=rate,
            record_bytes=max(1.0, self._volume / self._count),
            burst_cv=cv,
            keys=keys,
            zipf=fit_zipf(heavy, min(keys, 200_000), float(self._count)),
            hot_keys=hot,
            per_second=_rates(counts),
            per_minute=_rates(minutes),
            records=self._count,
            max_bytes=self._largest,
        )


def _rates(counts: "np.typing.NDArray[np.float64]") -> Rates:
    p50, p99, p999 = (float(x) for x in np.percentile(counts, [50, 99, 99.9]))
    return Rates(float(counts.mean()), p50, p99, p999)
