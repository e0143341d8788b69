"""Where the spans of a process go: nowhere, to a collector over OTLP, or to AWS X-Ray's daemon.

The way over OTLP (extra ``otlp``); that to the daemon is in ``orderstream.observability.tracing.xray``::

    span ends ──> queue, bounded ──a thread of its own, every 2 seconds──> POST otlp_url/v1/traces
                    │ full: the oldest are dropped                    │ fails: tried again for 5 s, dropped
                    └───────────── one warning in ten minutes ────────┘
"""

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from orderstream.errors import OrderstreamError
from orderstream.observability.tracing import NoTracer, Tracer
from orderstream_consumer.processing.log_throttle import LogThrottle
from orderstream_workers.runtime.settings import Settings, Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

MAX_QUEUED: Final = 8_192
"""Spans of a process that wait for the collector: some 12 MB, and a minute of a busy worker."""

EXPORT_EVERY: Final = 2.0
"""Seconds between two exports. A request costs a process some 2 ms of CPU, however few spans are in it, and a
process that is killed loses what it has not exported."""

_EXPORT_TIMEOUT: Final = 5.0
CLOSE_TIMEOUT: Final = 5.0
"""Seconds that the last spans have at the end of a process, within what an orchestrator leaves it."""

_WARN_EVERY: Final = 600.0
_CHATTY: Final = (
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)
"""The loggers that report a full queue or an unresponsive collector, again and again."""


class TracingNotInstalledError(OrderstreamError):
    """Spans are to be exported, and what exports them is not installed.

    Args:
        tracing: How they are to be exported, and the extra that it needs.
    """

    def __init__(self, tracing: Tracing) -> None:
        self.tracing = tracing
        super().__init__(
            f"ORDERSTREAM_TRACING={tracing} needs the extra {tracing}: install "
            f"orderstream-workers[{tracing}], or set ORDERSTREAM_TRACING=none"
        )


def tracer_of(
    settings: Settings,
    process: str,
    *,
    export_every: float = EXPORT_EVERY,
    close_timeout: float = CLOSE_TIMEOUT,
) -> Tracer:
    """The tracer that the settings ask for.

    Args:
        settings: The process's settings.
        process: What its spans bear as ``service.name``, or its segments as their name.
        export_every: Seconds between two exports over OTLP, above 0; a full batch of 512 goes at once.
        close_timeout: Seconds that the last spans have over OTLP when it is closed.

    Raises:
        TracingNotInstalledError: the extra ``otlp`` or ``xray`` is missing.
    """
    if settings.tracing == "none":
        return NoTracer()
    if settings.tracing == "xray":
        return _to_daemon(settings, process)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio  # noqa: PLC0415
    except ImportError as error:
        raise TracingNotInstalledError(settings.tracing) from error
    from orderstream_workers.runtime.telemetry.resource import resource_of  # noqa: PLC0415
    from orderstream_workers.runtime.telemetry.signing import signed_session  # noqa: PLC0415

    _quieten()
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.trace_ratio),
        resource=resource_of(process),
        shutdown_on_exit=False,  # it would wait for a collector that is down
    )
    region = settings.xray_region
    exporter = OTLPSpanExporter(
        f"{settings.otlp_url.rstrip('/')}/v1/traces",
        timeout=_EXPORT_TIMEOUT,
        session=None if region is None else signed_session(region),
    )
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=MAX_QUEUED, schedule_delay_millis=1_000 * export_every)
    )
    return _exporting(provider, exporter, close_timeout)


def _to_daemon(settings: Settings, process: str) -> Tracer:
    try:
        from orderstream.observability.tracing.xray import XRayTracer  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TracingNotInstalledError(settings.tracing) from error
    return XRayTracer(process, ratio=settings.trace_ratio)


def _exporting(provider: "TracerProvider", exporter: "SpanExporter", close_timeout: float) -> Tracer:
    from orderstream.observability.tracing.otel import OpenTelemetryTracer  # noqa: PLC0415 - an extra

    class ExportingTracer(OpenTelemetryTracer):
        """Exports what has ended before the process ends."""

        def close(self) -> None:
            # The SDK knows no deadline here, and waits 30 s for a collector that is down.
            last = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
            last.start()
            last.join(close_timeout)
            if last.is_alive():
                exporter.shutdown()  # it gives up what it is trying again, and what is left
                last.join(CLOSE_TIMEOUT)

    return ExportingTracer(provider)


class _OnceInAWhile(logging.Filter):
    """Lets one line through, and the next one a good while later."""

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle(_WARN_EVERY)

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.WARNING, "WARNING"  # nothing is lost but spans
        return self._throttle.is_due(time.monotonic())


_QUIET: Final = _OnceInAWhile()


def _quieten() -> None:
    for name in _CHATTY:
        logging.getLogger(name).addFilter(_QUIET)  # twice the same filter is one
