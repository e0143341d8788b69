"""Metrics in Prometheus' text format, for a ``/metrics`` that is scraped.

The format is that of "Exposition formats" in Prometheus' documentation. Names follow its conventions: seconds
instead of milliseconds, ``_total`` behind counters.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Final

from orderstream.observability.metrics.aggregation import Collected, Point, merged
from orderstream.observability.metrics.distribution import Distribution
from orderstream.observability.metrics.exporting import TICK
from orderstream.observability.metrics.metric import Kind, Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Of the response."""

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
_NUMBERS: Final = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000)
_WORDS: Final = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


class PrometheusExporter:
    """Adds up what was collected since the process began; ``text`` gives it as it is scraped.

    Several meters may share one, each with dimensions of its own.

    Args:
        prefix: Put before each name.
    """

    period = TICK
    """Each collection at once: a scraper has a period of its own."""

    def __init__(self, prefix: str = "orderstream") -> None:
        self._prefix = prefix
        self._so_far: dict[tuple[tuple[str, str], ...], Collected] = {}
        self._lock = threading.Lock()

    def export(self, collected: Collected) -> None:
        """See ``Exporter.export``."""
        with self._lock:
            meter = tuple(sorted(collected.dimensions.items()))
            self._so_far[meter] = merged(self._so_far.get(meter), collected)

    def text(self) -> str:
        """The metrics so far; from any thread."""
        with self._lock:
            return prometheus_text(list(self._so_far.values()), self._prefix)


def prometheus_text(meters: list[Collected], prefix: str = "orderstream") -> str:
    """The page with the totals of meters since their beginning.

    Args:
        meters: Each with dimensions of its own.
        prefix: Put before each name.
    """
    families: dict[str, list[tuple[Mapping[str, str], Point]]] = {}
    for collected in meters:
        for point in collected.points:
            families.setdefault(point.metric.name, []).append((collected.dimensions, point))
    lines: list[str] = []
    for series in families.values():
        metric = series[0][1].metric
        name = _name(metric, prefix)
        kind = "histogram" if metric.kind is Kind.DISTRIBUTION else metric.kind.value
        lines += [f"# HELP {name} {_escaped(metric.meaning)}", f"# TYPE {name} {kind}"]
        for dimensions, point in series:
            labels = {_snake(key): value for key, value in dimensions.items()}
            labels |= {_snake(key): value for key, value in zip(metric.dimensions, point.labels, strict=True)}
            lines += _samples(name, labels, point)
    return "".join(f"{line}\n" for line in lines)


def _samples(name: str, labels: Mapping[str, str], point: Point) -> Iterator[str]:
    scale = 0.001 if point.metric.unit == "Milliseconds" else 1.0
    if point.distribution is not None:
        bounds = _SECONDS if point.metric.unit in {"Milliseconds", "Seconds"} else _NUMBERS
        yield from _histogram(name, labels, point.distribution, bounds, scale)
    elif point.reading is not None:
        yield f"{name}{_shown(labels)} {_number(point.reading.last * scale)}"
    else:
        yield f"{name}{_shown(labels)} {_number(point.total * scale)}"


def _histogram(
    name: str, labels: Mapping[str, str], values: Distribution, bounds: tuple[float, ...], scale: float
) -> Iterator[str]:
    counted = [(value * scale, count) for value, count in values.counted()]
    for bound in bounds:
        within = sum(count for value, count in counted if value <= bound)
        yield f"{name}_bucket{_shown({**labels, 'le': _number(bound)})} {within}"
    yield f"{name}_bucket{_shown({**labels, 'le': '+Inf'})} {values.count}"
    yield f"{name}_sum{_shown(labels)} {_number(values.total * scale)}"
    yield f"{name}_count{_shown(labels)} {values.count}"


def _name(metric: Metric, prefix: str) -> str:
    unit = {"Milliseconds": "seconds", "Seconds": "seconds", "Bytes": "bytes"}.get(metric.unit, "")
    words = [word for word in (prefix, _snake(metric.name), unit) if word]
    if unit and words[-2].endswith(f"_{unit}"):
        words.pop()
    return "_".join(words) + ("_total" if metric.kind is Kind.COUNTER else "")


def _snake(name: str) -> str:
    return "_".join(word.lower() for word in _WORDS.split(name) if word)


def _shown(labels: Mapping[str, str]) -> str:
    shown = ",".join(f'{name}="{_escaped(value, quoted=True)}"' for name, value in labels.items())
    return f"{{{shown}}}" if shown else ""


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = str(text).replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quoted else text


def _number(value: float) -> str:
    return f"{value:.12g}"
