"""The judge of traces after kills: what may be missing is excused, and nothing else is."""

import datetime as dt
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chaos.traces import Kill, redelivered, trace_violations
from orderstream_playground.local.traces.store import SpanStore
from orderstream_workers.operations.order_trace import StoredSpan

_Message = tuple[str, str, str, float, float]

NOW = 1_800_000_000.0
TRACE = "a" * 32


def span(name: str, at: float, parent: str, service: str, message: str = "", **more: Any) -> StoredSpan:
    """A span of the order, at so many seconds; its id is its name, who it is of and its message."""
    attributes = {"orderstream.order_id": "o-1", **more.pop("attributes", {})}
    if message:
        attributes["messaging.message.id"] = message
    return StoredSpan(
        trace_id=TRACE,
        span_id=more.pop("span_id", f"{service} {name} {message}".strip()),
        parent=parent,
        name=name,
        kind="consumer" if name.startswith("process") else "producer",
        service=service,
        begin=round((NOW + at) * 1e9),
        end=round((NOW + at + 0.1) * 1e9),
        attributes=attributes,
        **more,
    )


ROOT = span("POST /orders", 0, "", "api", span_id="root")
PLACED = [span("send orders", 0, "root", "api", "m-1"), span("process orders", 1, "root", "saga", "m-1")]
DECIDING = "saga process orders m-1"
RESERVE = [
    span("send orders", 1, DECIDING, "saga", "m-2"),
    span("process orders", 2, DECIDING, "inventory", "m-2"),
]
BATCH = StoredSpan(
    trace_id="b" * 32,
    span_id="batch",
    parent="",
    name="process orders",
    kind="consumer",
    service="order-status",
    begin=round((NOW + 3) * 1e9),
    end=round((NOW + 4) * 1e9),
    attributes={"messaging.batch.message_count": 2},
    links=((TRACE, "root"), (TRACE, DECIDING)),
)
WHOLE = [ROOT, *PLACED, *RESERVE, BATCH]
MESSAGES = [("m-1", "OrderPlaced", "orders", 0.0, 0.0), ("m-2", "inventory.ReserveStock", "saga", 1.0, 1.0)]
OVERDUE = ("m-3", "StepOverdue", "saga", 600.0, 3.0)


def judged(
    folder: Path, spans: list[StoredSpan], *kills: Kill, messages: Sequence[_Message] = MESSAGES
) -> list[str]:
    """What the judge says of an order with these spans and messages."""
    with closing(sqlite3.connect(folder / "read-model.sqlite")) as database, database:
        database.execute("CREATE TABLE history (order_id, event_id, type, source, time, arrived_at)")
        for event_id, kind, source, *times in messages:
            decided, arrived = (
                dt.datetime.fromtimestamp(NOW + at, dt.UTC).replace(tzinfo=None).isoformat(" ")
                for at in times
            )
            database.execute(
                "INSERT INTO history VALUES ('o-1', ?, ?, ?, ?, ?)",
                (event_id, kind, source, decided, arrived),
            )
    with SpanStore(folder / "traces.sqlite") as store:
        store.add(spans)
    return [line.removeprefix("traces of o-1: ") for line in trace_violations(folder, kills)]


def without(*missing: StoredSpan) -> list[StoredSpan]:
    return [each for each in WHOLE if each not in missing]


def test_a_whole_trace_is_right(tmp_path: Path) -> None:
    """With kills and without."""
    assert judged(tmp_path, WHOLE) == []


@pytest.mark.parametrize(
    ("missing", "process"), [(ROOT, "api"), (PLACED[1], "saga"), (RESERVE[0], "saga"), (PLACED[0], "api")]
)
@pytest.mark.parametrize(
    ("after", "excused"), [(-5.0, False), (0.5, True), (8.0, True), (25.0, False), (None, False)]
)
def test_what_a_killed_process_had_not_exported_may_be_missing(
    tmp_path: Path, missing: StoredSpan, process: str, after: float | None, excused: bool
) -> None:
    """Of that process, in the seconds before its kill; a kill of another one excuses nothing."""
    kills = [Kill("archiver", NOW + 1)]
    if after is not None:
        kills.append(Kill(process, NOW + (missing.begin / 1e9 - NOW) + after))
    assert bool(judged(tmp_path, without(missing), *kills)) is not excused


@pytest.mark.parametrize(("killed_at", "excused"), [(5.0, True), (40.0, False)])
def test_what_has_just_arrived_may_be_missing_whenever_it_was_due(
    tmp_path: Path, killed_at: float, excused: bool
) -> None:
    """The time of a step that is overdue is its deadline, which may be far from when that was said."""
    found = judged(tmp_path, WHOLE, Kill("saga", NOW + killed_at), messages=[*MESSAGES, OVERDUE])
    assert (found == []) is excused


@pytest.mark.parametrize(("waited", "excused"), [(7.0, True), (2.0, False)])
def test_the_sending_of_what_waited_in_the_queue_may_be_missing(
    tmp_path: Path, waited: float, excused: bool
) -> None:
    """Its sender was killed when the queue had it; when it was taken from the queue says nothing of that."""
    late = span("process orderstream-payments", 9, "never exported", "payment-worker")
    late.attributes["orderstream.waited_seconds"] = waited
    found = judged(tmp_path, [*WHOLE, late], Kill("payments", NOW + 4))
    assert (found == []) is excused


def test_a_second_root_is_a_fault_whoever_was_killed(tmp_path: Path) -> None:
    """One order, one tree."""
    kills = [Kill(process, NOW + 1) for process in ("api", "saga")]
    (fault,) = judged(tmp_path, [*WHOLE, span("POST /orders", 1, "", "api")], *kills)
    assert fault.startswith("2 roots")


def test_a_message_that_nobody_processed_is_a_fault(tmp_path: Path) -> None:
    """A kill of one that reads everything excuses nothing while another one does, too."""
    kills = [Kill("archiver", NOW + 5), Kill("inventory", NOW + 5)]
    assert judged(tmp_path, without(RESERVE[1], BATCH), *kills) == ["never processed: inventory.ReserveStock"]


def test_a_message_is_processed_by_whoever_reads_everything(tmp_path: Path) -> None:
    """A batch has one span, which links to it."""
    assert judged(tmp_path, without(RESERVE[1])) == []


def test_redeliveries_are_counted_by_their_process(tmp_path: Path) -> None:
    """What came again from the stream, and what came again out of the queue."""
    again = {"orderstream.arrival": "redelivered"}
    queued = {"orderstream.deliveries": 2}
    first = {"orderstream.arrival": "fresh", "orderstream.deliveries": 1}
    with SpanStore(tmp_path / "traces.sqlite") as store:
        store.add([span("process orders", 1, "root", "saga", attributes=said) for said in (again, first)])
        store.add([span("process payments", 1, "root", "payment-worker", attributes=queued)])
    assert redelivered(tmp_path) == {"saga": 1, "payment-worker": 1}
