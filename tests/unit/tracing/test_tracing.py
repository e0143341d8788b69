"""Trace contexts find their way into envelopes."""

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream.events import OrderCancellationRequested, decode_envelope
from orderstream.tracing import opentelemetry_traceparent, traceparent_from_xray

MESSAGE = OrderCancellationRequested(order_id="order-1")
TRACE = "5759e988bd862e3fe1be46a994272793"
SPAN = "53995c3f42cd8ad8"
ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"


def test_the_current_span_travels_with_the_event() -> None:
    """Inside of a span its context is in the envelope, outside there is none, and an explicit one stands."""
    producer = CollectingProducer()
    publisher = EventPublisher(producer, source="shop", tracing=opentelemetry_traceparent)
    publisher.publish(MESSAGE)
    context = SpanContext(int(TRACE, 16), int(SPAN, 16), is_remote=False, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        publisher.publish(MESSAGE)
        publisher.publish(MESSAGE, traceparent="mine")
    found = [decode_envelope(data).traceparent for _, data in producer.records]
    assert found == [None, f"00-{TRACE}-{SPAN}-01", "mine"]


@pytest.mark.parametrize(
    ("header", "traceparent"),
    [
        (
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            f"00-{TRACE}-{SPAN}-01",
        ),
        (
            "Sampled=0;Parent=53995c3f42cd8ad8;Root=1-5759e988-bd862e3fe1be46a994272793",
            f"00-{TRACE}-{SPAN}-00",
        ),
        (f"{ROOT};Sampled=1", None),
        ("", None),
    ],
)
def test_an_xray_header_says_the_same_in_w3c_words(header: str, traceparent: str | None) -> None:
    """Ids are the same, in another spelling; without a parent there is no context."""
    assert traceparent_from_xray(header) == traceparent
