"""Judges the traces of a run from what its collector has kept, beside what order status lists."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from orderstream_playground.local.traces.store import SpanStore
from orderstream_workers.operations.order_trace import ORDER_ID, StoredSpan


def judge_traces(home: Path) -> dict[str, list[str]]:
    """By order of the read model, what is wrong with its traces.

    Args:
        home: Folder of a local environment that is down.
    """
    messages: dict[str, dict[str, str]] = defaultdict(dict)
    with closing(sqlite3.connect(home / "read-model.sqlite")) as database:
        for order_id, event_id, kind in database.execute("SELECT order_id, event_id, type FROM history"):
            messages[order_id][event_id] = kind
    with SpanStore(home / "traces.sqlite") as store:
        return {order_id: _faults(order_id, listed, store) for order_id, listed in messages.items()}


def _faults(order_id: str, messages: dict[str, str], store: SpanStore) -> list[str]:
    spans = store.of_order(order_id)
    own = {span.trace_id for span in spans if span.attributes.get(ORDER_ID) == order_id}
    mine = [span for span in spans if span.trace_id in own]
    known = {span.span_id for span in mine}
    faults = list(_roots_at_fault([span for span in mine if not span.parent], own))
    faults += [f"orphan: {span.name}" for span in mine if span.parent and span.parent not in known]
    for event_id, kind in messages.items():
        sends, processes = (
            [span for span in mine if span.name == name and _message(span) == event_id]
            for name in ("send orders", "process orders")
        )
        if not sends:
            faults.append(f"never sent: {kind}")
        # What a message names is the span that it was decided in: that of its sending's parent, or its link.
        causes = {(span.trace_id, span.parent) for span in sends}
        causes |= {link for span in sends for link in span.links}
        batched = any(causes & set(span.links) for span in spans if span.trace_id not in own)
        if not processes and not batched:
            faults.append(f"never processed: {kind}")
    return faults


def _roots_at_fault(roots: list[StoredSpan], own: set[str]) -> Iterator[str]:
    """One request; where it was repeated under its key, each repetition links to the one that was remembered.

    One that failed before anything was remembered stands by itself.
    """
    began = [root for root in roots if not any(trace_id in own for trace_id, _ in root.links)]
    wrong = any(root.name != "POST /orders" for root in roots)
    if wrong or not began or sum(not root.failed for root in began) > 1:
        yield f"roots: {[(root.name, root.failed, root.links) for root in roots]}"


def _message(span: StoredSpan) -> object:
    return span.attributes.get("messaging.message.id")
