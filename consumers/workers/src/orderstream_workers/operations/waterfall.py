"""An order's spans as a waterfall: what caused what, when each began, how long it waited and worked. Pure.

::

     begin     took                                            service
      0 ms    21 ms  POST /orders                              api        ██████
      4 ms    15 ms  ├─ send OrderPlaced                       api         ████
     29 ms    40 ms  └─ process OrderPlaced                    saga        ···██████████
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from orderstream_workers.operations.order_trace import ORDER_ID, StoredSpan

_MILLISECOND: Final = 1_000_000
_SERVICE: Final = 15
_LONGEST_LABEL: Final = 50
_SHORTEST_LABEL: Final = 12
_SHORTEST_BAR: Final = 10
_GAPS: Final = 23
"""Columns of the two times and of the spaces between all parts."""

_WIDEST: Final = 160

DEFAULT_COLUMNS: Final = 80
"""Where the output is no terminal."""


def waterfall(spans: Sequence[StoredSpan], order_id: str, columns: int = DEFAULT_COLUMNS) -> Iterator[str]:
    """Draw the traces of an order, line by line.

    Args:
        spans: At least one span of the order.
        order_id: The order.
        columns: Width of what it is drawn on. No line of a span is longer, from 60 columns on.
    """
    own = {span.trace_id for span in spans if span.attributes.get(ORDER_ID) == order_id}
    traces: dict[str, list[StoredSpan]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: span.begin):
        if span.trace_id in own:
            traces[span.trace_id].append(span)
    room = min(columns, _WIDEST) - _SERVICE - _GAPS
    label = min(max(room - _SHORTEST_BAR, _SHORTEST_LABEL), _LONGEST_LABEL)
    for trace in traces.values():
        yield from _drawn(trace, label, max(room - label, _SHORTEST_BAR))
        yield ""
    yield from _batches([span for span in spans if span.trace_id not in own], min(s.begin for s in spans))


def _drawn(trace: Sequence[StoredSpan], label: int, width: int) -> Iterator[str]:
    begin, end = min(span.begin for span in trace), max(span.end for span in trace)
    failed = sum(span.failed for span in trace)
    yield (
        f"trace {trace[0].trace_id}: {_milliseconds(end - begin)}, {len(trace)} spans"
        + (f", {failed} failed" if failed else "")
    )
    known = {span.span_id for span in trace}
    children: dict[str, list[StoredSpan]] = defaultdict(list)
    for span in trace:
        children[span.parent if span.parent in known else ""].append(span)

    def lines(parent: str, indent: str) -> Iterator[str]:
        for number, span in enumerate(children[parent], start=1):
            last = number == len(children[parent])
            branch = indent + ("" if not parent else "└─ " if last else "├─ ")
            yield _line(span, branch, begin, max(end - begin, 1), label, width)
            yield from lines(span.span_id, indent + ("" if not parent else "   " if last else "│  "))

    yield from lines("", "")


def _line(span: StoredSpan, branch: str, begin: int, total: int, longest: int, width: int) -> str:
    note = _cut(_note(span), longest - 1)
    label = _cut(branch + _label(span), longest - len(note)) + note
    waits_from = _arrived(span)
    since = span.begin if waits_from is None else min(max(waits_from, begin), span.begin)
    first, work, last = (int((moment - begin) * width / total) for moment in (since, span.begin, span.end))
    work = min(work, width - 1)
    drawn = " " * min(first, work) + "·" * (work - min(first, work)) + "█" * max(min(last, width) - work, 1)
    offset, took = _milliseconds(span.begin - begin), _milliseconds(span.end - span.begin)
    return f"{offset:>9} {took:>9}  {label:<{longest}} {span.service[:_SERVICE]:<{_SERVICE}} {drawn}".rstrip()


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _label(span: StoredSpan) -> str:
    """The message's type says more than the stream's name, which is always the same."""
    kind, operation = span.attributes.get("cloudevents.event_type"), span.name.partition(" ")[0]
    return span.name if kind is None else f"{operation} {kind}"


def _note(span: StoredSpan) -> str:
    """What is unusual about it, which has its place before the name."""
    if span.failed:
        return f" (failed: {span.attributes.get('error.type', 'it does not say why')})"
    arrival = span.attributes.get("orderstream.arrival", "fresh")
    return "" if arrival == "fresh" else f" ({arrival})"


def _arrived(span: StoredSpan) -> int | None:
    """When what it processes had arrived, in nanoseconds; None where nothing waited, or it is not known."""
    try:
        arrived = dt.datetime.fromisoformat(str(span.attributes["orderstream.arrived_at"]))
    except (KeyError, ValueError):
        return None
    return int(arrived.timestamp() * 1_000) * _MILLISECOND


def _batches(batches: Sequence[StoredSpan], begin: int) -> Iterator[str]:
    counts = Counter(span.service for span in batches)
    for service, count in sorted(counts.items()):
        last = max(span.end for span in batches if span.service == service)
        yield f"{service}: in {count} batches, the last done at {_milliseconds(last - begin)}"


def _milliseconds(nanoseconds: int) -> str:
    return (
        f"{nanoseconds / _MILLISECOND:,.0f} ms"
        if nanoseconds >= _MILLISECOND
        else f"{nanoseconds / _MILLISECOND:.1f} ms"
    )
