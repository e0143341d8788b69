"""When records arrived: counted by second, reported as rates by second, minute, hour and hour of day."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from shard_sizing.errors import InputError
from shard_sizing.model.workload.peaks import INTERVALS, Floats, Peaks, Rates, rates_of

_DAY: Final = 86_400
_HOUR: Final = 3_600
_MOST_SECONDS: Final = 366 * _DAY
_RESOLUTIONS: Final = (_DAY, _HOUR, 60)  # steps in which files are known to state their times

Ints = npt.NDArray[np.int64]


@dataclass
class Arrivals:
    """Counts arrivals by the second, in any order; a day takes 345 KB once it has one."""

    _days: dict[int, npt.NDArray[np.uint32]] = field(default_factory=dict)
    _first: int = 2**62
    _last: int = -(2**62)
    _steps: tuple[int, ...] = _RESOLUTIONS

    def add(self, times: Floats) -> None:
        """Count arrivals by their times in seconds.

        Raises:
            InputError: The times are more than a year apart.
        """
        floors = np.floor(times)
        seconds, counts = np.unique(floors.astype(np.int64), return_counts=True)
        whole = bool((floors == times).all())
        self._steps = tuple(step for step in self._steps if whole and not (seconds % step).any())
        self._first, self._last = min(self._first, int(seconds[0])), max(self._last, int(seconds[-1]))
        if self._last - self._first >= _MOST_SECONDS:
            raise InputError("input", "its times are more than a year apart; check the column and its unit")
        days = seconds // _DAY
        for day in np.unique(days).tolist():
            of_day = days == day
            held = self._days.setdefault(day, np.zeros(_DAY, dtype=np.uint32))
            held[seconds[of_day] - day * _DAY] += counts[of_day].astype(np.uint32)

    def over(self, first: int | None = None, last: int | None = None) -> "Span":
        """Return the arrivals over a span, by default from the first to the last of them.

        Args:
            first: Its first second.
            last: Its last second, included.
        """
        coarse = self._steps[0] if self._steps and self._first != self._last else 1
        begin = self._first if first is None else min(first, self._first)
        end = (self._last if last is None else max(last, self._last)) + coarse
        return Span(self._days, begin, end, coarse)


@dataclass(frozen=True)
class Span:
    """Arrivals between two times.

    Attributes:
        days: Arrivals in each second, by day since 1970.
        first: The first second.
        end: The second after the last.
        resolution: Seconds in whose steps the times were stated.
    """

    days: dict[int, npt.NDArray[np.uint32]]
    first: int
    end: int
    resolution: int

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end - self.first

    def arrived(self, begins: Ints, seconds: int) -> Ints:
        """Return how many came in each of some intervals, of so many seconds, that part a day evenly."""
        counts = np.zeros(begins.size, dtype=np.int64)
        days = begins // _DAY
        for day in np.unique(days).tolist():
            of_day = days == day
            by_interval = self.days[day].reshape(-1, seconds).sum(axis=1)
            counts[of_day] = by_interval[begins[of_day] % _DAY // seconds]
        return counts

    def moments(self, seconds: int) -> tuple[float, float, float]:
        """Return the sums of the counts of all intervals, of so many seconds, of their squares and cubes."""
        by_interval = [day.reshape(-1, seconds).sum(axis=1).astype(np.float64) for day in self.days.values()]
        first, second, third = (sum(float((n**power).sum()) for n in by_interval) for power in (1, 2, 3))
        return first, second, third

    def peaks(self) -> Peaks:
        """Return the rates by interval; None where the times are coarser, or the span is shorter.

        Intervals begin with the span. A last one that is cut short counts as if nothing came in its rest.
        """
        return Peaks(
            second=self._by_second() if self.resolution == 1 else None,
            minute=self._by("minute"),
            hour=self._by("hour"),
        )

    def burst_cv(self, company: float = 0.0) -> float:
        """Return the coefficient of variation from second to second within minutes, beyond chance.

        Chance alone makes the variance of a second's count equal to its mean, or to its mean times the size
        of the clumps in which records come. What there is beyond it, in terms of the squared mean of each
        minute, is the square of the coefficient. It is 0 where times are coarser than a second, and where it
        is within two standard errors of chance.

        Args:
            company: Of a record's key in the same second; see ``Clumps``.
        """
        window = min(60, self.seconds)
        windows = self.seconds // window
        if self.resolution > 1 or window < 2:
            return 0.0
        sums, squares = (self._summed(window, power)[:windows] for power in (1, 2))
        means, clump = sums / window, 1.0 + company
        variances = np.maximum(squares - sums * means, 0.0) / (window - 1)
        beyond, scale = float((variances - clump * means).sum()), float((means**2 - variances / window).sum())
        error = float(np.sqrt((2 * (clump * means) ** 2 / (window - 1) + clump**3 * means / window).sum()))
        return float(np.sqrt(beyond / scale)) if scale > 0 and beyond > 2 * error else 0.0

    def daily(self) -> tuple[float, ...] | None:
        """Return the rate in each hour of the day over the mean; None below a day, or for coarser times."""
        if self.seconds < _DAY or self.resolution > _HOUR:
            return None
        counts = np.zeros(24)
        for seconds, arrived in self._busy():
            counts += np.bincount(seconds // _HOUR % 24, weights=arrived, minlength=24)
        hours = np.arange(24) * _HOUR

        def until(end: int) -> Floats:
            into_hour: Floats = np.clip(end % _DAY - hours, 0, _HOUR)
            return end // _DAY * _HOUR + into_hour

        rates = counts / (until(self.end) - until(self.first))
        return tuple((rates / (counts.sum() / self.seconds)).round(4).tolist())

    def _by(self, name: "str") -> Rates | None:
        length = INTERVALS[name]  # type: ignore[index]
        if self.resolution > length or self.seconds < length:
            return None
        return rates_of(self._summed(length), length)

    def _by_second(self) -> Rates:
        found: Counter[int] = Counter()
        for _, arrived in self._busy():
            for count, times in zip(*np.unique(arrived, return_counts=True), strict=True):
                found[int(count)] += int(times)
        found[0] += self.seconds - found.total()
        counts = np.array(sorted(found))
        up_to = np.cumsum([found[count] for count in counts.tolist()])
        p50, p99, p999 = (
            float(counts[np.searchsorted(up_to, share * self.seconds)]) for share in (0.5, 0.99, 0.999)
        )
        mean = sum(count * times for count, times in found.items()) / self.seconds
        return Rates(mean, p50, p99, p999, float(counts[-1]))

    def _summed(self, window: int, power: int = 1) -> Floats:
        """Return the sum of the seconds' counts, to a power, in each window from the first second on."""
        sums = np.zeros(-(-self.seconds // window))
        for seconds, arrived in self._busy():
            windows = (seconds - self.first) // window
            low = int(windows[0])
            part = np.bincount(windows - low, weights=arrived.astype(np.float64) ** power)
            sums[low : low + part.size] += part
        return sums

    def _busy(self) -> Iterator[tuple[Ints, Ints]]:
        """Give the seconds in which something came, and how much, day by day."""
        for day in sorted(self.days):
            arrived = self.days[day]
            busy = np.flatnonzero(arrived)
            yield busy + day * _DAY, arrived[busy].astype(np.int64)
