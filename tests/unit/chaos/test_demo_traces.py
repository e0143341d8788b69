"""The judge of a peaceful run's traces: which requests may begin a trace of an order."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from e2e.traced import judge_traces
from orderstream_playground.local.traces.store import SpanStore
from orderstream_workers.operations.order_trace import StoredSpan

REMEMBERED = "a" * 32


def request(trace_id: str = "b" * 32, *, failed: bool = False, links_to: str = "") -> StoredSpan:
    """A request that names the order."""
    return StoredSpan(
        trace_id=trace_id,
        span_id="root",
        parent="",
        name="POST /orders",
        kind="server",
        service="api",
        begin=1,
        end=2,
        failed=failed,
        attributes={"orderstream.order_id": "o-1"},
        links=((links_to, "root"),) if links_to else (),
    )


@pytest.mark.parametrize(
    ("again", "fault"),
    [
        ([], False),
        ([request(links_to=REMEMBERED)], False),
        ([request(links_to=REMEMBERED), request("c" * 32, links_to=REMEMBERED)], False),
        ([request(failed=True)], False),
        ([request()], True),
        ([request(links_to="c" * 32)], True),
    ],
)
def test_a_repeated_request_has_to_link_to_the_one_that_was_remembered(
    tmp_path: Path, again: list[StoredSpan], fault: bool
) -> None:
    """Or it has failed before anything was remembered; a second beginning is a fault."""
    with closing(sqlite3.connect(tmp_path / "read-model.sqlite")) as database, database:
        database.execute("CREATE TABLE history (order_id, event_id, type)")
        database.execute("INSERT INTO history VALUES ('o-1', 'm-1', 'OrderPlaced')")
    sent, processed = (
        StoredSpan(
            trace_id=REMEMBERED,
            span_id=name,
            parent="root",
            name=name,
            kind="internal",
            service="saga",
            begin=1,
            end=2,
            attributes={"orderstream.order_id": "o-1", "messaging.message.id": "m-1"},
        )
        for name in ("send orders", "process orders")
    )
    with SpanStore(tmp_path / "traces.sqlite") as store:
        store.add([request(REMEMBERED), *again, sent, processed])
    assert bool(judge_traces(tmp_path)["o-1"]) is fault
