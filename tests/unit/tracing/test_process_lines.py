"""What is processed is in the log: how long it took, what it was about, in which span, failed tries too."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fakes.engine import ARRIVAL, record_of
from fakes.messages import envelope_of
from fakes.tracing import KeptSpans, traceparent_of
from orderstream.errors import DependencyError
from orderstream.observability.log_context import LogContextFilter, log_about, log_scope
from orderstream_consumer.idempotency import MessageHandler, Received
from orderstream_consumer.processing.process_spans import ProcessSpans
from orderstream_orders.contracts import ShipOrder

COMMAND = envelope_of(
    ShipOrder(order_id="o-1", country="France", units=1), source="saga", event_id="e-1", time=ARRIVAL
)
RECORD = record_of("o-1", 1, COMMAND.encode())


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    caplog.set_level(logging.DEBUG, "orderstream_consumer")
    caplog.handler.addFilter(filtering := LogContextFilter())
    yield lambda: [vars(record) for record in caplog.records]
    caplog.handler.removeFilter(filtering)


def handle(took: float, route: Callable[[Received], None] = lambda _: None, *, kept: KeptSpans) -> None:
    """As a lane of shipping does, which counts two seconds as slow."""
    times = iter([10.0, 10.0 + took])
    spans = ProcessSpans(
        kept.tracer, stream="orders", application="shipping", slow_seconds=2, clock=lambda: ARRIVAL,
        monotonic=lambda: next(times),
    )  # fmt: skip
    with log_scope():
        log_about(shard_id=RECORD.shard_id)
        try:
            MessageHandler({ShipOrder.type_name(): route}, spans=spans).handle(RECORD)
        except DependencyError:
            logging.getLogger("orderstream_consumer").warning("tried again")


@pytest.mark.parametrize(("took", "level"), [(1.999, "DEBUG"), (2.0, "INFO")])
def test_what_is_slow_is_said_at_info(
    took: float, level: str, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """With its duration, its type, its ids and its span; the rest is there for who looks closer."""
    handle(took, kept=(kept := KeptSpans()))
    (line,) = logged()
    trace_id, span_id = traceparent_of(kept.named("process orders")).split("-")[1:3]
    expected = {
        "levelname": level, "duration_seconds": took, "waited_seconds": 0.0, "event_type": COMMAND.type,
        "event_id": "e-1", "order_id": "o-1", "conversation_id": COMMAND.conversation_id,
        "shard_id": RECORD.shard_id, "trace_id": trace_id, "span_id": span_id,
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected


def test_a_failed_try_is_in_the_span_that_failed(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """The line about it is written where it is tried again, when the span has ended."""

    def fail(_: Received) -> None:
        raise DependencyError("carrier", "ship", "away")

    handle(9, fail, kept=(kept := KeptSpans()))
    (line,) = logged()
    assert line["message"] == "tried again"
    assert line["span_id"] == traceparent_of(kept.named("process orders")).split("-")[2]
    assert (line["order_id"], line["event_type"]) == ("o-1", COMMAND.type)
