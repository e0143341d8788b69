"""The pipeline's processes traced by AWS X-Ray: what its daemon receives of a demo."""

import sqlite3
import subprocess
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.running import INVOICES, free_base_port, orderstream
from fakes.xray import XRayDaemon
from orderstream_playground.local.environment import EnvironmentOptions
from orderstream_playground.local.lifecycle import down, up
from orderstream_playground.local.processes import ProcessSpec

LIMIT = 20
LARGEST_TRACE = 100_000
"""Bytes that X-Ray takes of a trace whose documents come one by one."""

WORKS_ON_EVERY_ORDER = {"api", "saga", "inventory", "payments"}

Document = dict[str, Any]


def traced_demo(home: Path, daemon: XRayDaemon) -> tuple[list[Document], dict[str, int]]:
    """The documents of a demo, and the bytes of each trace; all processes have ended."""

    def rewire(spec: ProcessSpec) -> ProcessSpec:
        traced = {"ORDERSTREAM_TRACING": "xray", "AWS_XRAY_DAEMON_ADDRESS": daemon.address}
        return replace(spec, environment={**spec.environment, **traced})

    port = free_base_port()
    up(home, EnvironmentOptions(base_port=port, shards=2), lambda _: None, rewire=rewire)
    try:
        demo = subprocess.run(
            orderstream(
                *(home, port, "demo", "--orders", str(INVOICES), "--shards", "2"),
                *("--limit", str(LIMIT), "--no-progress"),
            ),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        down(home)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    return daemon.documents(), daemon.sizes()


def orders_of(home: Path) -> set[str]:
    with closing(sqlite3.connect(home / "read-model.sqlite")) as database:
        return {order_id for (order_id,) in database.execute("SELECT order_id FROM orders")}


def first_traces(traces: dict[str, list[Document]]) -> list[str]:
    """Those that do not follow another: a request that was repeated links to the one that was remembered."""
    return [
        trace_id
        for trace_id, documents in traces.items()
        if not any(
            link.partition("/")[0] in traces and link.partition("/")[0] != trace_id
            for document in documents
            if "parent_id" not in document
            for link in document["metadata"]["orderstream"].get("links", ())
        )
    ]


@pytest.mark.timeout(1200)
def test_every_order_of_a_demo_is_one_trace_of_xray(tmp_path: Path) -> None:
    """One root, the request; no segment lacks its parent; every service that works on an order is in it."""
    home = tmp_path / "home"
    with XRayDaemon() as daemon:
        documents, sizes = traced_demo(home, daemon)
    by_trace: dict[str, list[Document]] = defaultdict(list)
    traces_of: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        by_trace[document["trace_id"]].append(document)
        if order_id := document.get("annotations", {}).get("order_id"):
            traces_of[order_id].add(document["trace_id"])
    orders = orders_of(home)
    assert len(orders) > LIMIT / 2
    assert set(traces_of) == orders
    for order_id, trace_ids in traces_of.items():
        (trace_id,) = first_traces({each: by_trace[each] for each in trace_ids})
        trace = by_trace[trace_id]
        (root,) = (document for document in trace if "parent_id" not in document)
        assert (root["name"], root["http"]["request"]["url"]) == ("api", "/orders")
        assert {document.get("parent_id", root["id"]) for document in trace} <= {one["id"] for one in trace}
        said = {document["annotations"]["order_id"] for document in trace if "annotations" in document}
        assert said == {order_id}
        assert {document["metadata"]["orderstream"]["service"] for document in trace} > WORKS_ON_EVERY_ORDER
        assert sizes[trace_id] < LARGEST_TRACE
