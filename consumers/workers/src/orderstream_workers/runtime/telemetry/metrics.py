"""Where a process's metrics go: as its settings say, and to ``/metrics`` in any case."""

from typing import Final

from orderstream.errors import MissingExtraError
from orderstream.observability.metrics import (
    AggregatingMeter,
    EmfExporter,
    Exporter,
    Exporting,
    PrometheusExporter,
)
from orderstream.observability.metrics.exporting import PERIOD, TICK
from orderstream_workers.runtime.settings import Settings

NAMESPACE: Final = "Orderstream"
"""CloudWatch's namespace of all metrics."""


def exporting(
    settings: Settings, meter: AggregatingMeter, page: PrometheusExporter, fields: dict[str, str]
) -> Exporting:
    """What exports a process's metrics while its body runs, and the last of them at its end.

    Args:
        settings: They say where metrics go.
        meter: The process's meter.
        page: What ``/metrics`` shows; processes in one share it.
        fields: More members of each EMF line, such as who the worker is.

    Raises:
        MissingExtraError: OpenTelemetry is asked for, and not installed.
    """
    exporters: list[Exporter] = [page]
    if settings.metric_exporters & {"emf", "emf-detailed"}:
        detailed = "emf-detailed" in settings.metric_exporters
        exporters.append(
            EmfExporter(NAMESPACE, fields=fields, detailed=detailed, period=settings.metrics_seconds)
        )
    if "otel" in settings.metric_exporters:
        exporters.append(_opentelemetry())
    return Exporting(meter, exporters, tick=TICK * settings.metrics_seconds / PERIOD)


def _opentelemetry() -> Exporter:
    try:
        from orderstream.observability.metrics.otel import OpenTelemetryExporter  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("otel", "the metrics of OpenTelemetry") from error
    return OpenTelemetryExporter()
