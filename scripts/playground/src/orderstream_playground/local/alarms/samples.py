"""What CloudWatch makes of EMF lines: values by metric and dimensions, and a statistic for each period."""

import math
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

Series = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions of a metric."""

MARK: Final = b'"_aws"'
"""It is in every EMF line; logs share their files with others."""


def series_of(namespace: str, metric: str, dimensions: Mapping[str, str]) -> Series:
    """The key of a metric's values."""
    return namespace, metric, frozenset(dimensions.items())


class Samples:
    """The values that were written, with their times.

    Args:
        keeps: Seconds after which a value is forgotten, counted from the metric's newest one.

    Attributes:
        began: When the first value was written, in seconds since 1970; None before.
    """

    def __init__(self, keeps: float = math.inf) -> None:
        self._keeps = keeps
        self._values: dict[Series, list[tuple[float, Sequence[float]]]] = {}
        self.began: float | None = None

    def take(self, line: bytes) -> bool:
        """Take in a line of a log.

        Returns:
            Whether it is an EMF line; others change nothing.
        """
        if MARK not in line:
            return False
        try:
            said: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
            metadata = said["_aws"]
            at = metadata["Timestamp"] / 1000
            for directive in metadata["CloudWatchMetrics"]:
                for names in directive["Dimensions"]:
                    dimensions = {name: str(said[name]) for name in names}
                    for metric in directive["Metrics"]:
                        value = said[metric["Name"]]
                        values = value if isinstance(value, list) else [value]
                        self.add(series_of(directive["Namespace"], metric["Name"], dimensions), at, values)
        except (KeyError, TypeError, msgspec.DecodeError):
            return False  # the end of a line that is being written, or a log about such a line
        return True

    def add(self, series: Series, at: float, values: Sequence[float]) -> None:
        """Take in values of a metric.

        Args:
            series: Whose they are.
            at: Seconds since 1970.
            values: The values.
        """
        self.began = at if self.began is None else min(self.began, at)
        kept = self._values.setdefault(series, [])
        insort(kept, (at, values), key=_when)
        del kept[: bisect_left(kept, kept[-1][0] - self._keeps, key=_when)]

    @property
    def ended(self) -> float | None:
        """When the newest value was written, in seconds since 1970; None before the first."""
        return max((kept[-1][0] for kept in self._values.values()), default=None)

    def datapoints(self, series: Series, statistic: str, bounds: Sequence[float]) -> list[float | None]:
        """A statistic for each period.

        Args:
            series: Whose.
            statistic: As CloudWatch names it; percentiles as ``p99``.
            bounds: Where the periods begin, oldest first, and at last where the last one ends.

        Returns:
            One for each period; None where it has no value.
        """
        written = self._values.get(series, [])
        cuts = [bisect_left(written, bound, key=_when) for bound in bounds]
        return [
            _statistic(statistic, [value for _, values in written[begin:end] for value in values])
            for begin, end in pairwise(cuts)
        ]


def window(end: float, period: float, count: int) -> list[float]:
    """The bounds of the last periods before a moment, for ``Samples.datapoints``.

    Args:
        end: Where the last period ends, in seconds since 1970.
        period: Seconds.
        count: How many.
    """
    return [end - period * (count - index) for index in range(count + 1)]


def _when(written: tuple[float, Sequence[float]]) -> float:
    return written[0]


def _statistic(name: str, values: Sequence[float]) -> float | None:
    if not values:
        return None
    match name:
        case "Sum":
            return math.fsum(values)
        case "Maximum":
            return max(values)
        case "Minimum":
            return min(values)
        case "Average":
            return math.fsum(values) / len(values)
        case "SampleCount":
            return float(len(values))
        case _:
            rank = math.ceil(float(name.removeprefix("p")) / 100 * len(values))
            return sorted(values)[max(rank, 1) - 1]
