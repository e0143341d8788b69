"""Spans of what is processed: the message's context is parent and link, those of a batch are links."""

import datetime as dt
from dataclasses import replace

import pytest

from fakes.engine import ARRIVAL, record_of
from fakes.messages import envelope_of
from fakes.tracing import KeptSpans, traceparent_of
from orderstream.messages import compressed
from orderstream_consumer.idempotency import MessageHandler, Received
from orderstream_consumer.processing.process_spans import LONGEST_WAIT, MAX_LINKS, ProcessSpans
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_orders.contracts import ShipOrder, StockSold

CAUSE = f"00-{'a' * 32}-{'b' * 16}-01"


def message(number: int = 1, traceparent: str | None = CAUSE) -> DeliveredRecord:
    """A record with a message of a traced order."""
    command = ShipOrder(order_id="o-1", country="France", units=1)
    event = envelope_of(command, source="saga", event_id=f"e-{number}", time=ARRIVAL, traceparent=traceparent)
    return record_of("o-1", number, event.encode())


def spans(kept: KeptSpans, waited: dt.timedelta = dt.timedelta(seconds=3)) -> ProcessSpans:
    """Those of shipping, which is so late."""
    return ProcessSpans(kept.tracer, stream="orders", application="shipping", clock=lambda: ARRIVAL + waited)


def handled(kept: KeptSpans, record: DeliveredRecord, waited: dt.timedelta) -> Received:
    """What a route of shipping is given."""
    given: list[Received] = []
    MessageHandler({ShipOrder.type_name(): given.append}, spans=spans(kept, waited)).handle(record)
    return given[0]


def test_a_message_s_context_is_parent_and_link() -> None:
    """What follows from it names the span that processes it; how long it waited is said."""
    kept = KeptSpans()
    received = handled(kept, message(), dt.timedelta(seconds=3))
    span = kept.named("process orders")
    assert received.envelope.traceparent == traceparent_of(span)
    assert span.parent is not None
    assert span.parent.span_id == span.links[0].context.span_id == int("b" * 16, 16)
    assert span.attributes is not None
    assert span.attributes["orderstream.waited_seconds"] == 3
    assert span.attributes["messaging.consumer.group.name"] == "shipping"


def test_what_was_long_on_its_way_begins_a_trace_that_links_to_its_own() -> None:
    """A replay or a redrive days later; nobody could look at a trace of days."""
    for waited, parts in ((LONGEST_WAIT, False), (LONGEST_WAIT + dt.timedelta(seconds=1), True)):
        kept = KeptSpans()
        handled(kept, message(), waited)
        span = kept.named("process orders")
        assert (span.parent is None) == parts
        assert [traceparent_of_link(link) for link in span.links] == [CAUSE]


def traceparent_of_link(link: object) -> str:
    """A link as text."""
    context = link.context  # type: ignore[attr-defined]
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def test_a_message_without_a_context_begins_a_trace() -> None:
    """So does one whose context is malformed."""
    for traceparent in (None, "mine"):
        kept = KeptSpans()
        received = handled(kept, message(traceparent=traceparent), dt.timedelta(0))
        span = kept.named("process orders")
        assert (span.parent, span.links) == (None, ())
        assert received.envelope.traceparent == traceparent_of(span)


def test_what_is_passed_over_has_no_span() -> None:
    """An application's spans are its work."""
    kept = KeptSpans()
    sold = envelope_of(StockSold(order_id="o-1"), source="inventory", event_id="e", time=ARRIVAL)
    MessageHandler({}, spans=spans(kept)).handle(record_of("o-1", 1, sold.encode()))
    assert not kept.ended()


def test_untraced_messages_are_as_they_came() -> None:
    """Without a tracer what follows names what its cause named."""
    given: list[Received] = []
    MessageHandler({ShipOrder.type_name(): given.append}).handle(message())
    assert given[0].envelope.traceparent == CAUSE


def test_a_failure_passes_and_is_in_the_span() -> None:
    """The record's own failure and a dependency's alike."""
    kept = KeptSpans()

    def fail(_: Received) -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        MessageHandler({ShipOrder.type_name(): fail}, spans=spans(kept)).handle(message())
    assert kept.named("process orders").attributes["error.type"] == "ValueError"  # type: ignore[index]


def test_a_batch_links_to_the_contexts_of_its_messages() -> None:
    """Compressed ones and plain ones; what is no message, or has no context, is counted and not linked to."""
    kept = KeptSpans()
    long = replace(message(2), data=compressed(message(2).data))
    records = [message(1), long, message(3, None), record_of("k", 4, b"\xff"), record_of("k", 5, b"[]")]
    with spans(kept).batch(records):
        pass
    span = kept.named("process orders")
    assert span.parent is None
    assert [traceparent_of_link(link) for link in span.links] == [CAUSE, CAUSE]
    assert span.attributes is not None
    assert span.attributes["messaging.batch.message_count"] == 5


def test_a_batch_links_to_as_many_as_a_span_takes() -> None:
    """OpenTelemetry's SDK would drop the others without a word."""
    kept = KeptSpans()
    with spans(kept).batch([message(number) for number in range(1, MAX_LINKS + 10)]):
        pass
    assert len(kept.named("process orders").links) == MAX_LINKS
