"""AWS X-Ray's trace contexts find their way into envelopes."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from aws_xray_sdk.core import AWSXRayRecorder, xray_recorder
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter
from aws_xray_sdk.core.lambda_launcher import LambdaContext
from hypothesis import given
from hypothesis import strategies as st

from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream.messages import decode_envelope
from orderstream.observability.tracing import (
    TraceContext,
    traceparent_from_xray,
    xray_trace_id,
    xray_traceparent,
)
from orderstream_orders.contracts import OrderCancellationRequested

MESSAGE = OrderCancellationRequested(order_id="order-1")
TRACE = "5759e988bd862e3fe1be46a994272793"
SPAN = "53995c3f42cd8ad8"
ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture
def recorder() -> Iterator[AWSXRayRecorder]:
    """The process' own recorder, which the hook asks, sampling everything and sending nothing."""
    xray_recorder.configure(sampling=False, context_missing="IGNORE_ERROR")
    if isinstance(xray_recorder.emitter, UDPEmitter):
        xray_recorder.emitter._socket.close()
    xray_recorder.emitter = SimpleNamespace(send_entity=lambda entity: None)
    yield xray_recorder
    xray_recorder.clear_trace_entities()


def test_the_current_xray_segment_travels_with_the_event(recorder: AWSXRayRecorder) -> None:
    """Trace and innermost entity are the recorder's own; outside of a segment there is no context."""
    producer = CollectingProducer()
    publisher = EventPublisher(producer, source="shop")

    def publish() -> None:
        publisher.publish(MESSAGE, traceparent=xray_traceparent())

    publish()
    with recorder.in_segment("checkout", traceid=ROOT.removeprefix("Root="), sampling=1) as segment:
        publish()
        with recorder.in_subsegment("publish") as subsegment:
            publish()
    publish()
    found = [decode_envelope(data).traceparent for _, data in producer.records]
    assert found == [None, f"00-{TRACE}-{segment.id}-01", f"00-{TRACE}-{subsegment.id}-01", None]


def test_a_segment_that_is_not_recorded_has_no_context(recorder: AWSXRayRecorder) -> None:
    """The recorder stands in for it with ids of zeros, which no traceparent may have."""
    with recorder.in_segment("checkout", traceid=ROOT.removeprefix("Root="), sampling=0):
        assert xray_traceparent() is None


def test_no_xray_segment_is_no_reason_to_fail(recorder: AWSXRayRecorder) -> None:
    """A recorder that is told to raise outside of segments keeps no event from being published."""
    recorder.configure(context_missing="RUNTIME_ERROR")
    assert xray_traceparent() is None


@pytest.mark.parametrize("sampled", [0, 1])
def test_lambda_s_own_segment_is_the_current_one(
    recorder: AWSXRayRecorder, monkeypatch: pytest.MonkeyPatch, sampled: int
) -> None:
    """In a function the recorder takes the invocation's segment from the environment, sampled or not."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"{ROOT};Parent={SPAN};Sampled={sampled}")
    monkeypatch.setattr(recorder, "_context", LambdaContext())
    assert xray_traceparent() == f"00-{TRACE}-{SPAN}-0{sampled}"


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
        (
            f" Self=1-67891234-{'1' * 24}; {ROOT}; Parent={SPAN}; Sampled=1; Lineage=a:0=1",
            f"00-{TRACE}-{SPAN}-01",
        ),
        (f"{ROOT};Parent={SPAN};Sampled=?", f"00-{TRACE}-{SPAN}-00"),
        (f"{ROOT};Parent={SPAN};Sampled=10", f"00-{TRACE}-{SPAN}-00"),
        (f"{ROOT};Sampled=1", None),
        (f"{ROOT}ff;Parent={SPAN};Sampled=1", None),
        (f"{ROOT};Parent={SPAN}ff;Sampled=1", None),
        (f"No{ROOT};Parent={SPAN};Sampled=1", None),
        (f"{ROOT.upper()};Parent={SPAN};Sampled=1", None),
        (f"{ROOT}\n;Parent={SPAN};Sampled=1", f"00-{TRACE}-{SPAN}-01"),
        (f"{ROOT};Parent={SPAN}" + ";" * 100_000, None),
        (";=;=;", None),
        (f"{ROOT};Parent=0000000000000000;Sampled=0", None),
        (f"Root=1-00000000-000000000000000000000000;Parent={SPAN};Sampled=0", None),
        ("", None),
    ],
)
def test_an_xray_header_says_the_same_in_w3c_words(header: str, traceparent: str | None) -> None:
    """Ids are the same, in another spelling; without a parent, or with ids of zeros, there is no context."""
    assert traceparent_from_xray(header) == traceparent


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_a_context_goes_there_and_back(trace_id: int, span_id: int, sampled: bool) -> None:
    """W3C's spelling and X-Ray's say the same."""
    header = f"Root={xray_trace_id(trace_id)};Parent={span_id:016x};Sampled={int(sampled)}"
    assert traceparent_from_xray(header) == str(TraceContext(trace_id, span_id, sampled))


@given(st.text(max_size=200))
def test_any_text_is_a_header_or_none(text: str) -> None:
    """Nothing raises, and what is taken is well-formed."""
    found = traceparent_from_xray(text)
    assert found is None or TraceContext.read(found)
