"""What every tracer does: whatever it is given, the work goes on; what it causes has a context or none."""

from collections.abc import Callable, Iterator

import pytest
from opentelemetry.trace import NoOpTracerProvider

from fakes.tracing import KeptSpans
from fakes.xray import XRayDaemon
from orderstream.observability.tracing import NO_SPAN, NoTracer, TraceContext, Tracer
from orderstream.observability.tracing.otel import OpenTelemetryTracer
from orderstream.observability.tracing.xray import XRayTracer

TRACERS: dict[str, Callable[[], Tracer]] = {
    "none": NoTracer,
    "opentelemetry": lambda: KeptSpans().tracer,
    "opentelemetry without an SDK": lambda: OpenTelemetryTracer(NoOpTracerProvider()),
}
ELSEWHERE = f"00-{'a' * 32}-{'b' * 16}-01"
STRANGE = ("", "mine", "\0", "00-" * 80, ELSEWHERE.upper())


@pytest.fixture(params=[*TRACERS, "xray", "xray, nothing recorded"])
def tracer(request: pytest.FixtureRequest) -> Iterator[Tracer]:
    """Each of them; whatever X-Ray's daemon is sent is a valid document."""
    if request.param in TRACERS:
        yield TRACERS[request.param]()
        return
    with XRayDaemon() as daemon:
        tracer = XRayTracer("saga", daemon=daemon.address, ratio=float(request.param == "xray"))
        yield tracer
        tracer.close()
        daemon.documents()


def test_a_span_is_the_current_one_while_its_body_runs(tracer: Tracer) -> None:
    """Outside of all of them there is none."""
    assert tracer.current() is NO_SPAN
    with tracer.span("outer", "server") as outer:
        assert tracer.current().traceparent == outer.traceparent
        with tracer.span("inner", "internal") as inner:
            assert tracer.current().traceparent == inner.traceparent
        assert tracer.current().traceparent == outer.traceparent
    assert tracer.current() is NO_SPAN


def test_a_span_that_is_begun_by_hand_is_never_the_current_one(tracer: Tracer) -> None:
    """It may end in another thread."""
    span = tracer.begin("send orders", "producer", attributes={"a": 1})
    assert tracer.current() is NO_SPAN
    span.set("b", True)
    span.fail("TimeoutError")
    span.end()


def test_what_the_body_raises_passes(tracer: Tracer) -> None:
    """A tracer swallows nothing, ends of processes included."""
    for error in (ValueError("mine"), KeyboardInterrupt()):
        with pytest.raises(type(error)), tracer.span("outer", "server"):
            raise error
        assert tracer.current() is NO_SPAN


@pytest.mark.parametrize("strange", STRANGE)
def test_a_malformed_context_is_no_error(tracer: Tracer, strange: str) -> None:
    """As parent or as link."""
    with tracer.span("outer", "consumer", parent=strange, links=[strange, ELSEWHERE]) as span:
        span.link(strange)
        span.link(ELSEWHERE)
        assert span.traceparent is None or TraceContext.read(span.traceparent)


def test_whatever_a_span_says_is_no_error(tracer: Tracer) -> None:
    """Ten thousand attributes, values that are no JSON, an end that comes twice and words after it."""
    odd = {f"attribute.{number}": "x" * 5_000 for number in range(10_000)}
    span = tracer.begin("GET /orders/{order_id}?*", "client", attributes={"a": float("nan"), "b": 1 << 70})
    for name, value in {**odd, "": "\ud800", "http.response.status_code": "none"}.items():
        span.set(name, value)
    span.end()
    span.set("late", 1)
    span.link(ELSEWHERE)
    span.fail("TooLateError")
    span.end()
    tracer.begin("", "internal").end()
    tracer.close()
    tracer.begin("too late", "internal").end()


def test_a_context_is_well_formed_or_none(tracer: Tracer) -> None:
    """Nothing is traced where there is none; else children stay in the trace of their parent."""
    with tracer.span("outer", "consumer", parent=ELSEWHERE) as outer:
        assert tracer.current().traceparent == outer.traceparent or outer.traceparent is None
        if tracer.enabled and outer.traceparent is not None:
            assert outer.traceparent[:35] == ELSEWHERE[:35]
            assert outer.traceparent == ELSEWHERE or outer.traceparent[36:52] != ELSEWHERE[36:52]
        else:
            assert outer.traceparent is None
    tracer.close()
