"""Traces: one port, and its implementations.

``Tracer`` is what everything here traces through. ``NoTracer``, the default everywhere, imports and does
nothing. ``orderstream.observability.tracing.otel`` has the adapter for OpenTelemetry (extra ``otel``), and
``orderstream.observability.tracing.xray`` that for AWS X-Ray's SDK (extra ``xray``): these modules alone
import them. X-Ray's trace headers are read in ``xray_context``.
"""

from orderstream.observability.tracing.context import TraceContext
from orderstream.observability.tracing.messaging import KINESIS, SQS, Destination
from orderstream.observability.tracing.tracer import NO_SPAN, Attributes, Kind, NoTracer, Span, Tracer, Value
from orderstream.observability.tracing.xray_context import (
    traceparent_from_xray,
    xray_trace_id,
    xray_traceparent,
)

__all__ = [
    "KINESIS",
    "NO_SPAN",
    "SQS",
    "Attributes",
    "Destination",
    "Kind",
    "NoTracer",
    "Span",
    "TraceContext",
    "Tracer",
    "Value",
    "traceparent_from_xray",
    "xray_trace_id",
    "xray_traceparent",
]
