"""The rates of a workload over its span: mean, percentiles and maximum, by second, minute and hour."""

import re
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from shard_sizing.errors import InputError

Interval = Literal["second", "minute", "hour"]
INTERVALS: Final[dict[Interval, int]] = {"second": 1, "minute": 60, "hour": 3_600}
"""Seconds of each interval."""

_STATISTICS: Final = {"p50": "p50", "p99": "p99", "p99.9": "p999", "max": "max"}
_NAME: Final = re.compile(r"(p50|p99\.9|p99|max)-(second|minute|hour)")
PEAK_NAMES: Final = ("mean", *(f"{s}-{interval}" for interval in INTERVALS for s in ("p99", "p99.9", "max")))
"""The names that ``--at`` takes; the 50th percentiles are accepted as well."""

Floats = npt.NDArray[np.float64]


class Rates(msgspec.Struct, frozen=True):
    """Records per second over all intervals of one length, idle ones included.

    Attributes:
        mean: Their mean.
        p50: The median interval.
        p99: The 99th percentile.
        p999: The 99.9th percentile.
        max: The busiest interval.
    """

    mean: float
    p50: float
    p99: float
    p999: float
    max: float

    def times(self, factor: float) -> "Rates":
        """Return the rates multiplied by a factor."""
        return Rates(*(getattr(self, name) * factor for name in self.__struct_fields__))


class Peaks(msgspec.Struct, frozen=True):
    """The rates by interval, in records per second; None where the times or the span cannot show them."""

    second: Rates | None = None
    minute: Rates | None = None
    hour: Rates | None = None

    def times(self, factor: float) -> "Peaks":
        """Return the peaks of a workload that has grown by a factor."""
        return Peaks(*(rates and rates.times(factor) for rates in (self.second, self.minute, self.hour)))

    def at(self, name: str, mean: float) -> float:
        """Return the rate with this name in records per second.

        Args:
            name: ``mean``, or a statistic and an interval such as ``p99.9-minute``; see ``PEAK_NAMES``.
            mean: The mean rate of the workload.

        Raises:
            InputError: No such name, or the times were too coarse or too few for it.
        """
        if name == "mean":
            return mean
        parsed = parsed_peak(name)
        if parsed is None:
            raise InputError(f"rate {name!r}", f"no such rate; known are {', '.join(PEAK_NAMES)}")
        statistic, interval = parsed
        rates: Rates | None = getattr(self, interval)
        if rates is None:
            known = [each for each in INTERVALS if getattr(self, each) is not None]
            instead = f"--at max-{known[0]}" if known else "--at mean, or sample finer times"
            raise InputError(
                f"rate {name!r}", f"the profile does not know the rate by {interval}; use {instead}"
            )
        found: float = getattr(rates, statistic)
        return found


def parsed_peak(name: str) -> tuple[str, Interval] | None:
    """Return a peak's statistic, as a field of ``Rates``, and its interval; None for any other name."""
    parsed = _NAME.fullmatch(name)
    if parsed is None:
        return None
    statistic, interval = parsed.groups()
    return _STATISTICS[statistic], interval  # type: ignore[return-value] # the pattern has no others


def rates_of(counts: npt.ArrayLike, seconds: float = 1.0) -> Rates:
    """Return the rates of intervals.

    Args:
        counts: Records of each interval.
        seconds: The length of one.
    """
    rates = np.asarray(counts, dtype=np.float64) / seconds
    p50, p99, p999 = (float(x) for x in np.percentile(rates, [50, 99, 99.9]))
    return Rates(float(rates.mean()), p50, p99, p999, float(rates.max()))


def steady(rate: float, peak: float | None = None) -> Peaks:
    """Return the peaks of a made-up workload: ``rate`` in most minutes and hours, ``peak`` in a few."""
    top = rate if peak is None else peak
    rates = Rates(rate, rate, top, top, top)
    return Peaks(minute=rates, hour=rates)
