"""The order's trace as AWS X-Ray's daemon receives it: the same tree as a collector's, in valid documents."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.otlp import OtlpReceiver
from fakes.traced_pipeline import TracedPipeline
from fakes.xray import XRayDaemon
from orderstream_workers.runtime.settings import Settings

LARGEST_TRACE = 100_000
"""Bytes that X-Ray takes of a trace whose documents come one by one."""

Node = tuple[str, str, str, tuple[Any, ...]]
Known = dict[str, tuple[str, str]]
"""By span, its parent, and what it is."""


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[XRayDaemon]:
    """Where the processes look for it."""
    with XRayDaemon() as daemon:
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", daemon.address)
        yield daemon


def run(folder: Path, settings: Settings, orders: int = 1) -> list[str]:
    """Every order, from its request to its last event."""
    folder.mkdir()
    with TracedPipeline(folder, settings) as pipeline:
        placed = [pipeline.order(number) for number in range(orders)]
        pipeline.runs()
    return placed


def tree(spans: Known, below: str = "") -> tuple[Any, ...]:
    """What hangs below a span, whatever its ids are."""
    return tuple(
        sorted((what, tree(spans, span_id)) for span_id, (parent, what) in spans.items() if parent == below)
    )


def segments(documents: Iterable[dict[str, Any]]) -> Known:
    """Documents of one trace as its tree's members."""
    return {document["id"]: (document.get("parent_id", ""), str(_said(document))) for document in documents}


def _said(document: dict[str, Any]) -> tuple[str, str, str, str]:
    metadata, annotations = document["metadata"]["orderstream"], document.get("annotations", {})
    return (metadata["service"], metadata["name"], metadata["kind"], annotations.get("event_type", ""))


def test_the_tree_is_that_of_opentelemetry(tmp_path: Path, daemon: XRayDaemon) -> None:
    """Every order's, with one root; X-Ray takes all of it, though its documents come one by one."""
    placed = run(tmp_path / "xray", Settings(tracing="xray"), orders=3)
    with OtlpReceiver() as receiver:
        (order_id,) = run(tmp_path / "otlp", Settings(tracing="otlp", otlp_url=receiver.url))
        spans = receiver.spans()
    (trace_id,) = {span.trace_id for span in spans if span.attributes.get("orderstream.order_id") == order_id}
    expected = tree(
        {
            span.span_id: (
                span.parent,
                str((span.service, span.name, span.kind, span.attributes.get("cloudevents.event_type", ""))),
            )
            for span in spans
            if span.trace_id == trace_id
        }
    )
    assert len(expected) == 1
    documents, sizes = daemon.documents(), daemon.sizes()
    for order_id in placed:
        (trace_id,) = {
            document["trace_id"]
            for document in documents
            if document.get("annotations", {}).get("order_id") == order_id
        }
        mine = [document for document in documents if document["trace_id"] == trace_id]
        assert tree(segments(mine)) == expected
        assert sizes[trace_id] < LARGEST_TRACE


def test_a_service_s_work_is_a_segment_and_what_it_does_in_it_a_subsegment(
    tmp_path: Path, daemon: XRayDaemon
) -> None:
    """By its annotations an order is found; a batch names its messages' segments in its metadata."""
    (order_id,) = run(tmp_path / "run", Settings(tracing="xray"))
    documents = daemon.documents()
    (root,) = (document for document in documents if document["name"] == "api")
    assert (root.get("type"), root["http"]) == (
        None,
        {"request": {"method": "POST", "url": "/orders"}, "response": {"status": 202}},
    )
    (calling,) = (document for document in documents if document["name"] == "POST /v1/charges")
    assert (calling["type"], calling["namespace"]) == ("subsegment", "remote")
    placed = next(document for document in documents if document["name"] == "saga")
    conversation = placed["annotations"]["conversation_id"]
    assert placed["annotations"] == {
        "order_id": order_id,
        "conversation_id": conversation,
        "event_type": "OrderPlaced",
    }
    named = [document for document in documents if document.get("annotations", {}).get("conversation_id")]
    assert {document["annotations"]["conversation_id"] for document in named} == {conversation}
    batch = next(document for document in documents if document["name"] == "order-status")
    assert f"{root['trace_id']}/{root['id']}" in batch["metadata"]["orderstream"]["links"]


def test_a_ratio_of_0_sends_nothing_and_an_order_is_sent_whole_or_not_at_all(
    tmp_path: Path, daemon: XRayDaemon
) -> None:
    """The decision is the trace's, whichever process is asked."""
    run(tmp_path / "none", Settings(tracing="xray", trace_ratio=0.0), orders=2)
    assert daemon.documents() == []
    placed = run(tmp_path / "half", Settings(tracing="xray", trace_ratio=0.5), orders=8)
    found: dict[str, set[str]] = {}
    for document in daemon.documents():
        if order_id := document.get("annotations", {}).get("order_id"):
            found.setdefault(order_id, set()).add(document["id"])
    assert found.keys() <= set(placed)
    assert len({len(spans) for spans in found.values()}) <= 1
