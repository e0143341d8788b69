"""Metrics: one meter, through which all is measured, and the exporters that take its figures away.

EMF lines and Prometheus' text need nothing installed. The other exporters are imported by their own modules
only: ``orderstream.observability.metrics.cloudwatch`` and ``.otel`` (extra ``otel``).
"""

from orderstream.observability.metrics.aggregating_meter import AggregatingMeter
from orderstream.observability.metrics.aggregation import Collected, Point, Reading
from orderstream.observability.metrics.distribution import Distribution
from orderstream.observability.metrics.emf import EmfExporter
from orderstream.observability.metrics.exporting import Exporter, Exporting
from orderstream.observability.metrics.meter import Meter, NoMeter
from orderstream.observability.metrics.metric import Kind, Metric, Unit
from orderstream.observability.metrics.prometheus import PrometheusExporter

__all__ = [
    "AggregatingMeter",
    "Collected",
    "Distribution",
    "EmfExporter",
    "Exporter",
    "Exporting",
    "Kind",
    "Meter",
    "Metric",
    "NoMeter",
    "Point",
    "PrometheusExporter",
    "Reading",
    "Unit",
]
