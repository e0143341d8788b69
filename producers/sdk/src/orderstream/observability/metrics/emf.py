"""Metrics as lines of Amazon's Embedded Metric Format: CloudWatch Logs extracts metrics from them.

Nothing is called and no right is needed: whatever takes the process's output to CloudWatch Logs takes the
metrics along. The format, and the bounds below, are those of "Specification: Embedded metric format" in the
CloudWatch User Guide.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

import msgspec

from orderstream.observability.metrics.aggregation import Collected, Point
from orderstream.observability.metrics.exporting import PERIOD

MAX_METRICS_PER_LINE: Final = 100
"""Metrics that one directive may define."""

MAX_VALUES_PER_LINE: Final = 100
"""Values that a metric may have in one line."""

MAX_VALUES: Final = 300
"""Values of a distribution that are written each period; if there were more, they represent the others."""

_LONGEST_LABEL: Final = 255


class EmfExporter:
    """Writes a line for each set of dimensions, or more where a distribution has many values.

    A counter is its increase; a gauge its least, last and greatest reading; a distribution its values.

    Args:
        namespace: CloudWatch's namespace.
        stream: Where the lines go; standard output by default.
        period: Seconds between two exports.
        fields: More members of each line, for queries; none of them is a dimension.
        detailed: Whether metrics for a closer look are written, too.
    """

    def __init__(
        self,
        namespace: str = "Orderstream",
        *,
        stream: TextIO | None = None,
        period: float = PERIOD,
        fields: Mapping[str, str] | None = None,
        detailed: bool = True,
    ) -> None:
        self._namespace = namespace
        self._stream = stream
        self._fields = dict(fields or {})
        self._detailed = detailed
        self.period = period

    def export(self, collected: Collected) -> None:
        """See ``Exporter.export``."""
        stream = sys.stdout if self._stream is None else self._stream
        points = [point for point in collected.points if self._detailed or not point.metric.detailed]
        wanted = Collected(collected.at, collected.dimensions, points)
        lines = [*emf_lines(wanted, self._namespace, self._fields)]
        if lines:
            # At once: a line must not be torn by what other threads print.
            stream.write("".join(f"{line}\n" for line in lines))
            stream.flush()


def emf_lines(collected: Collected, namespace: str, fields: Mapping[str, str] | None = None) -> Iterator[str]:
    """The lines of what was collected: each a whole JSON object, without a line break.

    Args:
        collected: The metrics.
        namespace: CloudWatch's namespace.
        fields: More members of each line.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Point]] = {}
    for point in collected.points:
        labels = tuple(zip(point.metric.dimensions, map(_storable, point.labels), strict=True))
        groups.setdefault(labels, []).append(point)
    at = round(collected.at * 1000)
    shared = {name: _storable(value) for name, value in collected.dimensions.items()}
    for own, points in groups.items():
        for start in range(0, len(points), MAX_METRICS_PER_LINE):
            some = points[start : start + MAX_METRICS_PER_LINE]
            values = [(point, _values(point)) for point in some]
            for first in range(0, max(len(each) for _, each in values), MAX_VALUES_PER_LINE):
                here = [
                    (point, each[first : first + MAX_VALUES_PER_LINE])
                    for point, each in values
                    if len(each) > first
                ]
                yield _line(at, namespace, shared | dict(own), here, fields or {})


def _line(
    at: int,
    namespace: str,
    dimensions: Mapping[str, str],
    values: Sequence[tuple[Point, Sequence[float]]],
    fields: Mapping[str, str],
) -> str:
    directive = {
        "Namespace": namespace,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": point.metric.name, "Unit": point.metric.unit} for point, _ in values],
    }
    line: dict[str, Any] = {"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}}
    line |= fields
    line |= dimensions
    line |= {point.metric.name: each[0] if len(each) == 1 else each for point, each in values}
    return msgspec.json.encode(line).decode()


def _values(point: Point) -> list[float]:
    if point.reading is not None:
        reading = point.reading
        return list(dict.fromkeys((reading.least, reading.last, reading.greatest)))
    if point.distribution is not None:
        return [_shortened(value) for value in point.distribution.values(MAX_VALUES)]
    return [point.total]


def _shortened(value: float) -> float:
    """Six digits say all that a bucket knows, and cost a third of the bytes."""
    return float(f"{value:.6g}")


def _storable(label: str) -> str:
    """A dimension's value as CloudWatch takes it: printable ASCII, not empty, no colon in front."""
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in str(label)).strip()
    return text.lstrip(":")[:_LONGEST_LABEL] or "none"
