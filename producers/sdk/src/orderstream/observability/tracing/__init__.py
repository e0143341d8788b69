"""Traces: one port, and what stands behind it.

``Tracer`` is what everything here traces through. ``NoTracer``, the default everywhere, imports and does
nothing. ``orderstream.observability.tracing.otel`` has the adapter for OpenTelemetry (extra ``otel``), which
that module alone imports. X-Ray's trace headers are read in ``xray``.
"""

from orderstream.observability.tracing.context import TraceContext
from orderstream.observability.tracing.messaging import KINESIS, SQS, Destination, about
from orderstream.observability.tracing.sends import NOT_TRACED, SendSpans
from orderstream.observability.tracing.tracer import NO_SPAN, Attributes, Kind, NoTracer, Span, Tracer, Value
from orderstream.observability.tracing.xray import traceparent_from_xray, xray_traceparent

__all__ = [
    "KINESIS",
    "NOT_TRACED",
    "NO_SPAN",
    "SQS",
    "Attributes",
    "Destination",
    "Kind",
    "NoTracer",
    "SendSpans",
    "Span",
    "TraceContext",
    "Tracer",
    "Value",
    "about",
    "traceparent_from_xray",
    "xray_traceparent",
]
