"""AWS X-Ray's adapter: explicit segments, whatever thread they are of, and a daemon that may be away."""

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from aws_xray_sdk.core import AWSXRayRecorder

from fakes.xray import XRayDaemon
from orderstream import ConfigError
from orderstream.observability.tracing import TraceContext, traceparent_from_xray, xray_trace_id
from orderstream.observability.tracing.xray import MAX_ATTRIBUTES, MAX_TEXT, XRayTracer

ELSEWHERE = f"00-{'a' * 32}-{'b' * 16}-01"
SECOND = 10**9
NOW = 1_800_000_000 * SECOND


@pytest.fixture
def daemon() -> Iterator[XRayDaemon]:
    """X-Ray's daemon."""
    with XRayDaemon() as daemon:
        yield daemon


@pytest.fixture
def tracer(daemon: XRayDaemon) -> Iterator[XRayTracer]:
    """A tracer that sends to it."""
    tracer = XRayTracer("saga", daemon=daemon.address)
    yield tracer
    tracer.close()


def test_spans_begin_and_end_in_any_thread(daemon: XRayDaemon, tracer: XRayTracer) -> None:
    """X-Ray's own recorder keeps the segment by thread, and loses it in a pool; here the context is named."""

    def work(number: int) -> None:
        with tracer.span("process orders", "consumer", parent=ELSEWHERE, attributes={"number": number}):
            tracer.begin("send orders", "producer").end()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(40)))
    documents = daemon.documents()
    segments = {document["id"]: document for document in documents if document["name"] == "saga"}
    sendings = [document for document in documents if document["name"] == "send orders"]
    assert (len(segments), len(sendings)) == (40, 40)
    assert {document["parent_id"] for document in segments.values()} == {"b" * 16}
    assert {document["trace_id"] for document in documents} == {xray_trace_id(int("a" * 32, 16))}
    assert {sending["parent_id"] for sending in sendings} == segments.keys()


def test_a_new_trace_says_when_it_began(daemon: XRayDaemon) -> None:
    """X-Ray takes the first 32 bits of a trace's id for the second of its begin."""
    tracer = XRayTracer("saga", daemon=daemon.address, clock=lambda: NOW)
    tracer.begin("outer", "internal").end()
    tracer.close()
    (document,) = daemon.documents()
    assert document["trace_id"].startswith(f"1-{1_800_000_000:08x}-")
    assert document["start_time"] == 1_800_000_000


@pytest.mark.parametrize("step", [-3_600, 0, 3_600])
def test_a_clock_that_is_set_changes_no_duration(daemon: XRayDaemon, step: int) -> None:
    """A segment that ended before it began would be refused."""
    clock, ticks = iter([NOW, NOW, NOW + step * SECOND]), iter([7 * SECOND, 9 * SECOND])
    tracer = XRayTracer("saga", daemon=daemon.address, clock=clock.__next__, ticks=ticks.__next__)
    tracer.begin("outer", "internal").end()
    tracer.close()
    (document,) = daemon.documents()
    assert document["end_time"] - document["start_time"] == 2


def test_the_caller_s_own_segment_is_the_parent(daemon: XRayDaemon) -> None:
    """Of the SDK's recorder, say; a span of ours that is the current one is nearer."""
    recorder = AWSXRayRecorder()
    recorder.configure(sampling=False, context_missing="IGNORE_ERROR")
    recorder.emitter._socket.close()

    def outer() -> str | None:
        entity = recorder.get_trace_entity()
        return entity and traceparent_from_xray(f"Root={entity.trace_id};Parent={entity.id};Sampled=1")

    tracer = XRayTracer("shop", daemon=daemon.address, outer=outer)
    own = recorder.begin_segment("checkout", sampling=1)
    with tracer.span("outer", "server"):
        tracer.begin("inner", "client").end()
    recorder.clear_trace_entities()
    tracer.begin("alone", "internal").end()
    tracer.close()
    first, second, third = daemon.documents()
    assert (first["parent_id"], first["trace_id"]) == (own.id, own.trace_id)
    assert second["parent_id"] == first["id"]
    assert "parent_id" not in third


def test_a_malformed_context_is_warned_of_once(
    daemon: XRayDaemon, tracer: XRayTracer, caplog: pytest.LogCaptureFixture
) -> None:
    """It begins a trace, even within a span: what is malformed came from elsewhere."""
    with caplog.at_level(logging.WARNING), tracer.span("outer", "internal"):
        for _ in range(100):
            tracer.begin("process orders", "consumer", parent="mine", links=["mine"]).end()
    assert len(caplog.records) == 1
    documents = [document for document in daemon.documents() if "parent_id" not in document]
    assert len({document["trace_id"] for document in documents}) == 101
    assert not any("links" in document["metadata"]["orderstream"] for document in documents)


def test_a_failure_says_its_kind_and_not_its_text(daemon: XRayDaemon, tracer: XRayTracer) -> None:
    """It is a fault, which X-Ray finds by its kind; a response is one by its status."""
    with pytest.raises(ValueError, match="someone@example"), tracer.span("work", "consumer"):
        raise ValueError("someone@example.com")
    for status in (200, 404, 429, 500):
        tracer.begin("GET /", "server", attributes={"http.response.status_code": status}).end()
    failed, *responses = daemon.documents()
    assert (failed["fault"], failed["annotations"]) == (True, {"error_type": "ValueError"})
    assert "someone" not in str(failed)
    flags = [{flag for flag in ("error", "throttle", "fault") if each.get(flag)} for each in responses]
    assert flags == [set(), {"error"}, {"error", "throttle"}, {"fault"}]


def test_one_span_takes_so_much_and_no_more(
    daemon: XRayDaemon, tracer: XRayTracer, caplog: pytest.LogCaptureFixture
) -> None:
    """Attributes beyond the limit and long texts are cut; a document that is too large is dropped."""
    small, large = (tracer.begin("work", "internal", links=[ELSEWHERE] * 300) for _ in range(2))
    for number in range(10_000):
        small.set(f"attribute.{number}", number)
        large.set(f"attribute.{number}", "x" * 10_000)
    small.set("late", 1)
    with caplog.at_level(logging.WARNING):
        large.end()
    small.end()
    (line,) = caplog.records
    assert "bytes" in line.__dict__["reason"]
    (document,) = daemon.documents()
    metadata = document["metadata"]["orderstream"]
    assert len([name for name in metadata if name.startswith("attribute.")]) == MAX_ATTRIBUTES
    assert len(metadata["links"]) == 128
    text = tracer.begin("work", "internal", attributes={"orderstream.order_id": "o" * 2_000})
    text.end()
    assert daemon.documents()[-1]["annotations"] == {"order_id": "o" * MAX_TEXT}


def test_a_daemon_that_is_away_is_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is kept, so no memory fills, and nobody waits."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
        place.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{place.getsockname()[1]}"
    tracer = XRayTracer("saga", daemon=address)
    with caplog.at_level(logging.DEBUG):
        for _ in range(2_000):
            tracer.begin("work", "internal").end()
    tracer.close()
    (line,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert (line.levelname, line.__dict__["daemon"]) == ("WARNING", address)


def test_a_daemon_that_is_slow_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody reads what is sent: once its buffer is full, the rest is dropped."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asleep:
        asleep.bind(("127.0.0.1", 0))
        tracer = XRayTracer("saga", daemon=f"127.0.0.1:{asleep.getsockname()[1]}")
        with caplog.at_level(logging.WARNING):
            for _ in range(3_000):
                tracer.begin("work", "internal").end()
        tracer.close()
    assert len(caplog.records) <= 1


@pytest.mark.parametrize("unknown", ["no.such.host.invalid:2000", "127.0.0.1:70000"])
def test_an_address_that_leads_nowhere_is_warned_of(unknown: str, caplog: pytest.LogCaptureFixture) -> None:
    """It ends no process: nothing but spans is lost."""
    with caplog.at_level(logging.WARNING):
        tracer = XRayTracer("saga", daemon=unknown)
        with tracer.span("work", "internal") as span:
            assert TraceContext.read(str(span.traceparent))
    tracer.close()
    assert len(caplog.records) == 1


def test_what_can_be_known_at_the_start_is_refused_there() -> None:
    """An address that is none, a share that is none."""
    with pytest.raises(ConfigError, match="daemon"):
        XRayTracer("saga", daemon="somewhere")
    with pytest.raises(ConfigError, match="ratio"):
        XRayTracer("saga", ratio=1.5)
