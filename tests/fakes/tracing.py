"""A tracer whose spans are kept, made of OpenTelemetry's own SDK."""

from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from orderstream.observability.tracing import TraceContext
from orderstream.observability.tracing.otel import OpenTelemetryTracer


class KeptSpans:
    """What a tracer has begun and ended."""

    def __init__(self, **clocks: Callable[[], int]) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OpenTelemetryTracer(provider, **clocks)

    def ended(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        (found,) = (span for span in self.ended() if span.name == name)
        return found


def traceparent_of(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return str(TraceContext(context.trace_id, context.span_id, context.trace_flags.sampled))
