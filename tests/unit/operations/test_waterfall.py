"""The waterfall of an order: causes, begins, waits, failures; and why there is none."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.operations.order_trace import StoredSpan, spans_of
from orderstream_workers.operations.waterfall import waterfall
from orderstream_workers.runtime.settings import Settings

ORDER: dict[str, Any] = {"orderstream.order_id": "o-1"}
GAP = 16 * " "
BEGIN = 1_764_547_200_000_000_000  # 2025-12-01T00:00:00Z
TRACED = Settings(tracing="otlp", otlp_url="http://collector/")


def span(name: str, begin: int, end: int, parent: str = "", **more: Any) -> StoredSpan:
    """A span from one millisecond to another; its id is its name's first letter."""
    given: dict[str, Any] = {"attributes": ORDER, "service": "saga", "trace_id": "a" * 32} | more
    return StoredSpan(
        span_id=more.pop("span_id", name),
        parent=parent,
        name=name,
        kind="internal",
        begin=BEGIN + begin * 1_000_000,
        end=BEGIN + end * 1_000_000,
        **given,
    )


SPANS = [
    span("POST /orders", 0, 20, service="api"),
    span("send orders", 5, 20, "POST /orders", attributes=ORDER | {"cloudevents.event_type": "OrderPlaced"}),
    span(
        "process orders",
        50,
        100,
        "POST /orders",
        attributes=ORDER
        | {
            "cloudevents.event_type": "OrderPlaced",
            "orderstream.arrived_at": "2025-12-01T00:00:00.020000+00:00",
            "orderstream.arrival": "redelivered",
        },
    ),
    span("charge", 60, 61, "process orders", failed=True, attributes={"error.type": "TimeoutError"}),
    span("batch", 70, 90, trace_id="b" * 32, attributes={}, service="order-status"),
    span("batch", 80, 95, trace_id="c" * 32, attributes={}, service="order-status"),
]


def test_it_shows_what_caused_what_and_what_waited() -> None:
    """Children below their parents; dots are the wait of what had arrived, blocks the work."""
    assert list(waterfall(SPANS, "o-1", 108)) == [
        f"trace {'a' * 32}: 100 ms, 4 spans, 1 failed",
        "   0.0 ms     20 ms  POST /orders                                       api             ████",
        "     5 ms     15 ms  ├─ send OrderPlaced                                saga             ███",
        f"    50 ms     50 ms  └─ process OrderPlaced (redelivered)               saga{GAP}······██████████",
        f"    60 ms      1 ms     └─ charge (failed: TimeoutError)                saga{24 * ' '}█",
        "",
        "order-status: in 2 batches, the last done at 95 ms",
    ]


@pytest.mark.parametrize("columns", [1, 40, 80, 200])
def test_every_span_has_one_line_at_every_width(columns: int) -> None:
    """However narrow the terminal is, and whatever the spans say of their times."""
    odd = [span("before its parent", -500, -400, "POST /orders"), span("an orphan", 1, 1, "nobody")]
    lines = list(waterfall([*SPANS, *odd], "o-1", columns))
    assert len(lines) == len(SPANS) - 2 + len(odd) + 3
    assert all("█" in line for line in lines[1:-2])
    assert max(map(len, lines[1:])) <= max(columns, 60)


def test_what_is_unusual_is_never_cut() -> None:
    """However deep in the tree it stands; its name is cut in its place."""
    deep = [span(f"{number}{'work' * 20}", 0, 1, f"{number - 1}{'work' * 20}") for number in range(1, 30)]
    failed = span("x" * 80, 0, 1, f"29{'work' * 20}", failed=True, attributes={"error.type": "TimeoutError"})
    lines = list(waterfall([*SPANS, *deep, failed], "o-1", 80))
    (line,) = (line for line in lines if "TimeoutError" in line and "0.0 ms" in line)
    assert "… (failed: TimeoutError)" in line
    assert max(map(len, lines)) <= 80


def test_times_that_cannot_be_read_are_no_wait() -> None:
    """A collector keeps what others export, too."""
    strange = span("work", 0, 1, attributes=ORDER | {"orderstream.arrived_at": "yesterday"})
    assert "·" not in "".join(waterfall([strange], "o-1"))


def asked(
    respond: Callable[[httpx.Request], httpx.Response], settings: Settings = TRACED
) -> list[StoredSpan]:
    """What is told of an order."""
    with httpx.Client(transport=httpx.MockTransport(respond)) as http:
        return spans_of(settings, "o 1", http)


def test_spans_are_asked_of_the_collector_that_the_settings_name() -> None:
    """By the order's id, whatever characters it has."""
    urls = []

    def respond(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(200, content=msgspec.json.encode(SPANS))

    assert asked(respond) == SPANS
    assert urls == ["http://collector/v1/traces?order_id=o+1"]


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(200, content=b"[]"), "no span of order"),
        (httpx.Response(404), "search for orderstream.order_id=o 1"),
        (httpx.Response(200, content=b"<html>"), "search for"),
        (httpx.Response(200, content=b'{"data":[]}'), "search for"),
    ],
)
def test_where_there_is_none_it_says_why(response: httpx.Response, reason: str) -> None:
    """Another vendor's collector answers in its own way, or not at all."""
    with pytest.raises(NotDoneError, match=reason):
        asked(lambda _: response)


def test_without_tracing_there_is_nothing_to_draw() -> None:
    """And the setting is named."""
    with pytest.raises(NotDoneError, match="ORDERSTREAM_TRACING"):
        asked(lambda _: httpx.Response(200), Settings())
