"""Aggregates values until they are collected: a function of what was recorded, without clocks or threads.

::

    record ──> series of a metric and its labels ──collect──> Collected ──merged──> Collected ──> an exporter
                 │
                 └─ beyond the bound: the metric's series "(other)", so that sums stay right
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from orderstream.observability.metrics.distribution import Distribution
from orderstream.observability.metrics.metric import Kind, Metric

OTHER: Final = "(other)"
"""The labels of whatever is beyond the bound."""

MAX_METRICS: Final = 500
"""How many metrics a meter takes; others are dropped."""

_GREATEST: Final = 1e30
"""No measurement exceeds it; beyond it sums could overflow."""


class Reading(msgspec.Struct):
    """The readings of a gauge in a period.

    Attributes:
        last: The last of them.
        least: The least of them.
        greatest: The greatest of them.
    """

    last: float
    least: float
    greatest: float


class Point(msgspec.Struct):
    """The values of one series in one period.

    Attributes:
        metric: The metric.
        labels: The values of its dimensions.
        total: A counter's increase.
        reading: A gauge's readings; None for the other kinds.
        distribution: A distribution's values; None for the other kinds.
    """

    metric: Metric
    labels: tuple[str, ...] = ()
    total: float = 0.0
    reading: Reading | None = None
    distribution: Distribution | None = None

    def add(self, value: float, times: int = 1) -> None:
        """Take in a value."""
        match self.metric.kind:
            case Kind.COUNTER:
                self.total += value * times
            case Kind.GAUGE:
                self._read(value, value, value)
            case Kind.DISTRIBUTION:
                if self.distribution is None:
                    self.distribution = Distribution()
                self.distribution.add(value, times)

    def merge(self, newer: "Point") -> None:
        """Take in a later period of the same series."""
        self.total += newer.total
        if newer.reading is not None:
            self._read(newer.reading.last, newer.reading.least, newer.reading.greatest)
        if newer.distribution is not None:
            if self.distribution is None:
                self.distribution = Distribution()
            self.distribution.merge(newer.distribution)

    def _read(self, last: float, least: float, greatest: float) -> None:
        if self.reading is None:
            self.reading = Reading(last, least, greatest)
            return
        self.reading.last = last
        self.reading.least = min(self.reading.least, least)
        self.reading.greatest = max(self.reading.greatest, greatest)


class Collected(msgspec.Struct):
    """What a meter has aggregated since its last collection.

    Attributes:
        at: When it was collected, in seconds since 1970.
        dimensions: The meter's own, which all its metrics have.
        points: The series that were recorded since.
    """

    at: float
    dimensions: dict[str, str]
    points: list[Point]


def merged(older: Collected | None, newer: Collected) -> Collected:
    """Two collections of one meter as one; neither is to be used afterwards."""
    if older is None:
        return newer
    known = {(point.metric.name, point.labels): point for point in older.points}
    for point in newer.points:
        before = known.get((point.metric.name, point.labels))
        if before is None:
            older.points.append(point)
        else:
            before.merge(point)
    older.at = newer.at
    return older


class Aggregation:
    """The series of a meter.

    Args:
        dimensions: The meter's own dimensions.
        max_series: How many combinations of labels each metric may have, for as long as the meter lives.
    """

    def __init__(self, dimensions: Mapping[str, str], max_series: int) -> None:
        self._dimensions = dict(dimensions)
        self._max_series = max_series
        self._points: dict[tuple[str, tuple[str, ...]], Point] = {}
        self._known: dict[str, set[tuple[str, ...]]] = {}
        self._said: set[str] = set()

    def record(self, metric: Metric, value: float, labels: tuple[str, ...], times: int) -> str | None:
        """Take in a value.

        Returns:
            What is wrong with it, the first time that this is so with the metric; None if all is well.
        """
        if not -_GREATEST <= value <= _GREATEST or len(labels) != len(metric.dimensions):
            return self._say(metric, f"it takes finite numbers, and labels for {metric.dimensions}")
        point = self._points.get((metric.name, labels))
        if point is not None:
            point.add(value, times)
            return None
        known = self._known.get(metric.name)
        if known is None:
            if len(self._known) >= MAX_METRICS:
                return self._say_once(
                    "metrics", f"there are {MAX_METRICS} metrics already, others are dropped"
                )
            known = self._known[metric.name] = set()
        problem = None
        if labels not in known:
            if len(known) >= self._max_series:
                labels = (OTHER,) * len(labels)
                reason = f"it has {self._max_series} combinations of labels already, others count as {OTHER}"
                problem = self._say(metric, reason)
            else:
                known.add(labels)
        self._points.setdefault((metric.name, labels), Point(metric, labels)).add(value, times)
        return problem

    def absorb(self, collected: Collected) -> None:
        """Take in what another meter has put together, such as that of a process of ours."""
        for point in collected.points:
            key = (point.metric.name, point.labels)
            known = self._known.setdefault(point.metric.name, set())
            known.add(point.labels)
            before = self._points.setdefault(key, point)
            if before is not point:
                before.merge(point)

    def collect(self, now: float) -> Collected:
        """Return what was recorded since the last collection, and start over.

        Args:
            now: Seconds since 1970.
        """
        points, self._points = self._points, {}
        return Collected(now, dict(self._dimensions), list(points.values()))

    def _say(self, metric: Metric, what: str) -> str | None:
        return self._say_once(metric.name, f"metric {metric.name}: {what}")

    def _say_once(self, about: str, what: str) -> str | None:
        if about in self._said or len(self._said) > MAX_METRICS:
            return None
        self._said.add(about)
        return what
