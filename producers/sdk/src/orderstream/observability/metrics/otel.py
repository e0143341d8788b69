"""Metrics for OpenTelemetry (extra ``otel``): through its API, whatever the application exports with."""

from itertools import repeat
from typing import Any, Final

from opentelemetry.metrics import Meter, get_meter

from orderstream.observability.metrics.aggregation import Collected, Point
from orderstream.observability.metrics.exporting import TICK
from orderstream.observability.metrics.metric import Kind, Metric

_UNITS: Final = {"Count": "1", "Milliseconds": "ms", "Seconds": "s", "Bytes": "By", "None": "1"}
"""UCUM's, as OpenTelemetry wants them."""

_KEPT: Final = 2_000
"""Values of a distribution that are recorded a period; if there were more, they represent the others."""


class OpenTelemetryExporter:
    """Records in instruments of OpenTelemetry: counters, gauges and histograms, by the metrics' own names.

    Args:
        meter: Makes the instruments; by default that of the global provider.
    """

    period = TICK
    """Each collection at once: a provider's reader has a period of its own."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or get_meter("orderstream")
        self._instruments: dict[str, Any] = {}

    def export(self, collected: Collected) -> None:
        """See ``Exporter.export``."""
        for point in collected.points:
            attributes = collected.dimensions | dict(zip(point.metric.dimensions, point.labels, strict=True))
            self._record(self._instrument(point.metric), point, attributes)

    @staticmethod
    def _record(instrument: Any, point: Point, attributes: dict[str, str]) -> None:
        if point.reading is not None:
            instrument.set(point.reading.last, attributes)
        elif point.distribution is not None:
            values = point.distribution
            if values.count > _KEPT:
                for value in values.values(_KEPT):
                    instrument.record(value, attributes)
                return
            for value, count in values.counted():
                for each in repeat(value, count):
                    instrument.record(each, attributes)
        else:
            instrument.add(point.total, attributes)

    def _instrument(self, metric: Metric) -> Any:
        known = self._instruments.get(metric.name)
        if known is None:
            make = {
                Kind.COUNTER: self._meter.create_counter,
                Kind.GAUGE: self._meter.create_gauge,
                Kind.DISTRIBUTION: self._meter.create_histogram,
            }[metric.kind]
            known = make(f"orderstream.{metric.name}", _UNITS[metric.unit], metric.meaning)
            self._instruments[metric.name] = known
        return known
