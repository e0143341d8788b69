"""Traces through OpenTelemetry's API (extra ``otel``): the application brings its own SDK and exporter."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TracerProvider,
    set_span_in_context,
    use_span,
)

from orderstream.observability.tracing.context import TraceContext
from orderstream.observability.tracing.tracer import NO_SPAN, Attributes, Kind, Span, Value

logger = logging.getLogger(__name__)

_KINDS: Final = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}


class OpenTelemetryTracer:
    """Begins spans of OpenTelemetry. The current span is OpenTelemetry's own, so the application's counts.

    A malformed ``traceparent`` is left out: the span begins a trace of its own. The first is logged.

    Args:
        provider: Makes the spans; by default the global provider.
        clock: Nanoseconds since the epoch.
        ticks: Monotonic nanoseconds: a clock that is set changes no duration.
    """

    enabled = True

    def __init__(
        self,
        provider: TracerProvider | None = None,
        *,
        clock: Callable[[], int] = time.time_ns,
        ticks: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._tracer = trace.get_tracer("orderstream", tracer_provider=provider)
        self._clock = clock
        self._ticks = ticks
        self._warned = False

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        attributes: Attributes | None = None,
    ) -> Span:
        """See ``Tracer.begin``."""
        return self._begin(name, kind, parent, links, attributes)

    def span(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        attributes: Attributes | None = None,
    ) -> AbstractContextManager[Span]:
        """See ``Tracer.span``."""
        return _current(self._begin(name, kind, parent, links, attributes))

    def current(self) -> Span:
        """See ``Tracer.current``."""
        span = trace.get_current_span()
        return _Span(span) if span.get_span_context().is_valid else NO_SPAN

    def close(self) -> None:
        """See ``Tracer.close``: the provider is the application's, which closes it."""

    def _begin(
        self,
        name: str,
        kind: Kind,
        parent: str | None,
        links: Sequence[str],
        attributes: Attributes | None,
    ) -> "_Begun":
        began, ticks = self._clock(), self._ticks
        ahead = began - ticks()  # at one moment with the clock: what is within a span ends within it
        span = self._tracer.start_span(
            name,
            context=None if parent is None else self._context(parent),
            kind=_KINDS[kind],
            attributes=attributes,
            links=[Link(found) for link in links if (found := self._read(link)) is not None],
            start_time=began,
        )
        return _Begun(span, ahead, ticks)

    def _context(self, parent: str) -> Context:
        found = self._read(parent)
        return Context() if found is None else set_span_in_context(NonRecordingSpan(found), Context())

    def _read(self, traceparent: str) -> SpanContext | None:
        found = _span_context(traceparent)
        if found is None and not self._warned:
            self._warned = True
            logger.warning("a traceparent is malformed and left out, as all such will be")
        return found


@lru_cache(maxsize=512)
def _span_context(traceparent: str) -> SpanContext | None:
    """A context of elsewhere: it is named as parent and as link, and by every message of one decision."""
    read = TraceContext.read(traceparent)
    if read is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED if read.sampled else TraceFlags.DEFAULT)
    return SpanContext(read.trace_id, read.span_id, is_remote=True, trace_flags=flags)


class _Span:
    __slots__ = ("inner",)

    def __init__(self, span: trace.Span) -> None:
        self.inner = span

    @property
    def traceparent(self) -> str | None:
        context = self.inner.get_span_context()
        if not context.is_valid:
            return None  # the API without an SDK
        return str(TraceContext(context.trace_id, context.span_id, context.trace_flags.sampled))

    def set(self, name: str, value: Value) -> None:
        self.inner.set_attribute(name, value)

    def link(self, traceparent: str) -> None:
        if (found := _span_context(traceparent)) is not None:
            self.inner.add_link(found)

    def fail(self, error_type: str) -> None:
        self.inner.set_attribute("error.type", error_type)
        self.inner.set_status(StatusCode.ERROR)

    def end(self) -> None:
        self.inner.end()


class _Begun(_Span):
    """A span that was begun here, and ends as much later as a monotonic clock says."""

    __slots__ = ("_ahead", "_ticks")

    def __init__(self, span: trace.Span, ahead: int, ticks: Callable[[], int]) -> None:
        super().__init__(span)
        self._ahead = ahead
        self._ticks = ticks

    def end(self) -> None:
        self.inner.end(self._ahead + self._ticks())


@contextmanager
def _current(span: "_Begun") -> Iterator[Span]:
    try:
        with use_span(span.inner, record_exception=False, set_status_on_exception=False):
            yield span
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        span.end()
