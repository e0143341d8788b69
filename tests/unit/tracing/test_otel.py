"""OpenTelemetry's adapter: parents, links, failures, and the application's own current span."""

import logging

import pytest
from opentelemetry.trace import StatusCode, use_span

from fakes.tracing import KeptSpans, traceparent_of

ELSEWHERE = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def kept() -> KeptSpans:
    """A tracer of OpenTelemetry's own SDK."""
    return KeptSpans()


def test_the_current_span_is_the_parent_where_none_is_named(kept: KeptSpans) -> None:
    """A span of the application's own counts, and one that is named wins over it."""
    own = kept.tracer._tracer.start_span("the application's")
    with use_span(own, end_on_exit=True):
        kept.tracer.begin("send orders", "producer").end()
        kept.tracer.begin("process orders", "consumer", parent=ELSEWHERE, links=[ELSEWHERE]).end()
    sending, working = kept.named("send orders"), kept.named("process orders")
    assert sending.parent == own.get_span_context()
    assert working.parent is not None
    assert (working.parent.trace_id, working.parent.span_id) == (int("a" * 32, 16), int("b" * 16, 16))
    assert [link.context for link in working.links] == [working.parent]


def test_a_malformed_parent_begins_a_trace_and_is_warned_of_once(
    kept: KeptSpans, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even the current span is the parent then: what is malformed came from elsewhere."""
    with caplog.at_level(logging.WARNING), kept.tracer.span("outer", "internal"):
        for number in range(1_000):
            kept.tracer.begin(f"process {number}", "consumer", parent="mine", links=["mine"]).end()
    assert len(caplog.records) == 1
    spans = [span for span in kept.ended() if span.name != "outer"]
    assert all(span.parent is None and not span.links for span in spans)
    assert len({traceparent_of(span)[3:35] for span in spans}) == 1_000


def test_a_failure_says_its_kind_and_not_its_text(kept: KeptSpans) -> None:
    """An error may quote an address."""
    with pytest.raises(ValueError, match="someone@example"), kept.tracer.span("work", "consumer"):
        raise ValueError("someone@example.com")
    span = kept.named("work")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.status.description, span.events) == (None, ())
    assert span.attributes == {"error.type": "ValueError"}


@pytest.mark.parametrize("step", [-3_600, 0, 3_600])
def test_a_clock_that_is_set_changes_no_duration(step: int) -> None:
    """A span that ended before it began would be refused by some collectors and drawn backwards by others."""
    second, now = 10**9, 1_800_000_000 * 10**9
    clock, ticks = iter([now, now + step * second]), iter([7 * second, 9 * second])
    kept = KeptSpans(clock=clock.__next__, ticks=ticks.__next__)
    with kept.tracer.span("work", "internal"):
        pass
    (span,) = kept.ended()
    assert (span.start_time, span.end_time) == (now, now + 2 * second)


def test_one_span_takes_so_many_attributes_and_no_more(kept: KeptSpans) -> None:
    """A thousand of them, in one call or one by one: OpenTelemetry's SDK keeps 128."""
    many = {f"attribute.{number}": number for number in range(1_000)}
    span = kept.tracer.begin("work", "internal", attributes=many)
    for name, value in many.items():
        span.set(name, value)
    span.end()
    (ended,) = kept.ended()
    assert len(ended.attributes or {}) == 128
