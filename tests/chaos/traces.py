"""What must hold of the traces of a run in which processes were killed, beside what order status lists.

Every order's trace has one root and no orphan, and every message was sent and processed in a span. Only this
may be missing: spans of a process that was killed before it had exported them, which it does every two
seconds; the span that was under way in the moment of the kill is the last of them.
"""

import datetime as dt
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from orderstream_consumer.processing.process_spans import LONGEST_WAIT, MAX_LINKS
from orderstream_playground.local.traces.store import SpanStore
from orderstream_workers.operations.order_trace import ORDER_ID, StoredSpan

UNEXPORTED = 20.0
"""Seconds from a decision to a kill in which its span may be lost: two until the next export, and what the
rest of the handler and the export itself take on a busy machine."""

_BEFORE = 1.0
_BATCHES = frozenset({"order-status", "archiver"})
"""They read everything, and link to the messages of their batches."""

_SENDERS = {"orders": {"api"}, "payments": {"payments", "payment-worker"}}
"""By a message's source, the processes that may have sent it; the source itself for all others."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that was ended by SIGKILL.

    Attributes:
        process: Its name.
        at: When, in seconds since the epoch.
    """

    process: str
    at: float


@dataclass(frozen=True, slots=True)
class _Message:
    event_id: str
    kind: str
    source: str
    decided_at: float
    arrived_at: float


def trace_violations(
    home: Path, kills: Iterable[Kill], clock_errors: Sequence[float] = (0.0,)
) -> Iterator[str]:
    """One line for each thing that is wrong with the traces of an order.

    Args:
        home: Folder of a local environment that is down.
        kills: All of them.
        clock_errors: By how many seconds clocks of processes may have been wrong.
    """
    kills = [Kill(kill.process, kill.at + error) for kill in kills for error in clock_errors]
    messages: dict[str, list[_Message]] = defaultdict(list)
    with closing(sqlite3.connect(home / "read-model.sqlite")) as database:
        rows = database.execute("SELECT order_id, event_id, type, source, time, arrived_at FROM history")
        for order_id, event_id, kind, source, decided, arrived in rows:
            messages[order_id].append(_Message(event_id, kind, source, _seconds(decided), _seconds(arrived)))
    with SpanStore(home / "traces.sqlite") as store:
        for order_id, listed in messages.items():
            judged = _OrderTraces(order_id, store.of_order(order_id), listed, kills)
            yield from (f"traces of {order_id}: {fault}" for fault in judged.faults())


def redelivered(home: Path) -> Counter[str]:
    """How many spans of each process say that what they process came again.

    Args:
        home: Folder of a local environment that is down.
    """
    with closing(sqlite3.connect(home / "traces.sqlite")) as database:
        found = database.execute(
            "SELECT json_extract(content, '$.service') FROM spans "
            "WHERE json_extract(content, '$.attributes.\"orderstream.arrival\"') = 'redelivered' "
            "OR json_extract(content, '$.attributes.\"orderstream.deliveries\"') > 1"
        )
        return Counter(service for (service,) in found)


class _OrderTraces:
    def __init__(
        self, order_id: str, spans: list[StoredSpan], messages: list[_Message], kills: Sequence[Kill]
    ) -> None:
        own = {span.trace_id for span in spans if span.attributes.get(ORDER_ID) == order_id}
        self._mine = [span for span in spans if span.trace_id in own]
        self._batches = [span for span in spans if span.trace_id not in own]
        self._messages = messages
        self._by_id = {message.event_id: message for message in messages}
        self._kills = kills

    def faults(self) -> Iterator[str]:
        traces: dict[str, list[StoredSpan]] = defaultdict(list)
        for span in self._mine:
            traces[span.trace_id].append(span)
        for spans in traces.values():
            yield from self._tree(spans)
        for message in self._messages:
            yield from self._carried_out(message)

    def _tree(self, spans: list[StoredSpan]) -> Iterator[str]:
        known = {span.span_id for span in spans}
        roots = [span for span in spans if not span.parent]
        orphans: dict[str, list[StoredSpan]] = defaultdict(list)
        for span in spans:
            if span.parent and span.parent not in known:
                orphans[span.parent].append(span)
        lost = {parent for parent, children in orphans.items() if self._may_be_lost(children)}
        for parent in orphans.keys() - lost:
            yield f"orphans: {sorted(f'{span.service}: {span.name}' for span in orphans[parent])}"
        yield from (f"a root: {root.name}" for root in roots if not _may_be_a_root(root))
        if len(roots) > 1 or (not roots and not lost):
            yield f"{len(roots)} roots: {[root.name for root in roots]}"

    def _may_be_lost(self, children: list[StoredSpan]) -> bool:
        """Whether the process of a span was killed before it can have exported it, as its children tell."""
        for child in children:
            message = self._by_id.get(str(child.attributes.get("messaging.message.id")))
            if child.kind == "consumer" and message is not None:
                senders, moment = _senders(message.source), message.decided_at
            elif child.kind == "consumer":
                senders, moment = {"payments", "payment-worker"}, _sent_at(child)
            else:
                senders, moment = {child.service}, child.begin / 1e9
            if self._killed(senders, moment):
                return True
            if message is not None and message.kind == "StepOverdue" and self._killed_before("saga", moment):
                return True  # its time is when the step was due, long after the decision that it names
            if child.name.startswith("expire ") and self._killed_before("saga", moment):
                return True
        return False

    def _carried_out(self, message: _Message) -> Iterator[str]:
        sends, processes = (
            [
                span
                for span in self._mine
                if span.name == name and span.attributes.get("messaging.message.id") == message.event_id
            ]
            for name in ("send orders", "process orders")
        )
        if not sends:
            # A step is overdue at its deadline, and not when that is said; what arrives has just been sent.
            moments = (message.decided_at, message.arrived_at)
            if not any(self._killed(_senders(message.source), moment) for moment in moments):
                yield f"never sent: {message.kind}"
            return
        causes = {(span.trace_id, span.parent) for span in sends}
        causes |= {link for span in sends for link in span.links}
        batched = any(causes & set(span.links) for span in self._batches) or any(
            int(span.attributes.get("messaging.batch.message_count", 0)) > MAX_LINKS for span in self._batches
        )
        killed = {kill.process for kill in self._kills if kill.at >= message.arrived_at - _BEFORE}
        if not processes and not batched and not killed >= _BATCHES:
            yield f"never processed: {message.kind}"

    def _killed(self, processes: Iterable[str], moment: float) -> bool:
        return any(
            kill.process in processes and moment - _BEFORE <= kill.at <= moment + UNEXPORTED
            for kill in self._kills
        )

    def _killed_before(self, process: str, moment: float) -> bool:
        return any(kill.process == process and kill.at <= moment for kill in self._kills)


def _sent_at(processing: StoredSpan) -> float:
    """When the queue took what is processed: its sender may have been killed long before it is processed."""
    return processing.begin / 1e9 - float(processing.attributes.get("orderstream.waited_seconds", 0.0))


def _may_be_a_root(span: StoredSpan) -> bool:
    """A request; or what waited so long that it began a trace of its own, and links to the order's."""
    waited = float(span.attributes.get("orderstream.waited_seconds", 0.0))
    return span.name.startswith("POST /orders") or (
        bool(span.links) and waited > LONGEST_WAIT.total_seconds()
    )


def _senders(source: str) -> set[str]:
    return _SENDERS.get(source, {source})


def _seconds(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()
