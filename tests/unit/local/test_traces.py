"""The local collector: what comes over OTLP is kept, told by order, and passed on without a wait."""

import gzip
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import msgspec
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from fakes.asgi import AsgiClient
from fakes.otlp import OtlpReceiver
from fakes.tracing import KeptSpans
from orderstream_playground.local.traces.app import create_app
from orderstream_playground.local.traces.passing_on import PassingOn
from orderstream_playground.local.traces.store import SpanStore
from orderstream_workers.operations.order_trace import StoredSpan


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SpanStore]:
    """An empty store."""
    with SpanStore(tmp_path / "traces.sqlite") as store:
        yield store


def exported() -> bytes:
    """An export request: an order's trace of two spans, and a batch that links to it."""
    moments = count()
    kept = KeptSpans(clock=moments.__next__, ticks=moments.__next__)
    with kept.tracer.span("POST /orders", "server", attributes={"orderstream.order_id": "o-1"}) as root:
        kept.tracer.begin("send orders", "producer", attributes={"a": 1, "b": True, "c": 0.5}).end()
    batch = kept.tracer.begin("process orders", "consumer", links=[str(root.traceparent)])
    batch.fail("ValueError")
    batch.end()
    kept.tracer.begin("another", "internal").end()
    body: bytes = encode_spans(kept.ended()).SerializeToString()
    return body


def spans_of(client: AsgiClient, order_id: str) -> list[StoredSpan]:
    """What the collector tells of an order."""
    response = client.get("/v1/traces", params={"order_id": order_id})
    return msgspec.json.decode(response.content, type=list[StoredSpan])


@pytest.mark.parametrize("compressed", [False, True])
def test_an_order_s_spans_are_told_with_what_links_to_them(store: SpanStore, compressed: bool) -> None:
    """As they were exported, compressed or not; the spans of others are not among them."""
    body = gzip.compress(exported()) if compressed else exported()
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    with AsgiClient(create_app(store)) as client:
        response = client.post("/v1/traces", content=body, headers=headers)
        assert (response.status_code, response.content) == (200, b"")
        sending, root, batch = spans_of(client, "o-1")
        assert spans_of(client, "o-2") == []
    assert (root.name, root.kind, root.parent, root.failed) == ("POST /orders", "server", "", False)
    assert (sending.parent, sending.trace_id) == (root.span_id, root.trace_id)
    assert sending.attributes == {"a": 1, "b": True, "c": 0.5}
    assert root.begin <= sending.begin <= sending.end <= root.end
    assert (batch.links, batch.failed) == (((root.trace_id, root.span_id),), True)


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_what_is_no_export_is_refused(store: SpanStore, encoding: str) -> None:
    """And the collector goes on."""
    with AsgiClient(create_app(store)) as client:
        response = client.post(
            "/v1/traces", content=b"\xff\xff no protobuf", headers={"Content-Encoding": encoding}
        )
        assert response.status_code == 400
        assert client.get("/health").status_code == 200


def test_the_oldest_spans_go(tmp_path: Path) -> None:
    """However long the environment runs, its file is bounded."""
    with SpanStore(tmp_path / "traces.sqlite", most=3) as store:
        for number in range(10):
            store.add(
                [
                    StoredSpan(
                        trace_id=str(number),
                        span_id=str(number),
                        parent="",
                        name="work",
                        kind="internal",
                        service="saga",
                        begin=number,
                        end=number,
                        attributes={"orderstream.order_id": "o-1"},
                        links=(("elsewhere", "1"),),
                    )
                ]
            )
        assert [span.begin for span in store.of_order("o-1")] == [7, 8, 9]


def test_each_request_is_passed_on_as_it_came(store: SpanStore) -> None:
    """The end hands over what is left."""
    with OtlpReceiver() as other, httpx.Client() as http:
        with PassingOn(other.url, http) as passing, AsgiClient(create_app(store, passing.take)) as client:
            for _ in range(3):
                client.post("/v1/traces", content=exported())
        assert (other.requests, len(other.spans())) == (3, 12)


def test_another_collector_that_is_down_is_warned_of_once(
    store: SpanStore, caplog: pytest.LogCaptureFixture
) -> None:
    """And the spans are kept here all the same."""

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with (
        httpx.Client(transport=httpx.MockTransport(down)) as http,
        PassingOn("http://other", http) as passing,
        AsgiClient(create_app(store, passing.take)) as client,
    ):
        for _ in range(300):
            passing.take(b"")
        assert client.post("/v1/traces", content=exported()).status_code == 200
        assert len(spans_of(client, "o-1")) == 3
    assert [record.getMessage() for record in caplog.records] == ["spans are not passed on"]
