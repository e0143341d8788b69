"""What is sent has a span of its own, from the call until the acknowledgement."""

import datetime as dt

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from fakes.kpl import TinyClient, client_error
from fakes.messages import envelope_of
from fakes.publishing import CollectingProducer, gave_up
from fakes.tracing import KeptSpans, traceparent_of
from orderstream import BufferFullError, EventPublisher, Producer, ProducerConfig
from orderstream.errors import DependencyError
from orderstream.messages import decode_envelope
from orderstream.messages.spans import SendSpans
from orderstream_consumer.idempotency import KinesisPublisher
from orderstream_orders.contracts import OrderCancellationRequested

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MESSAGE = OrderCancellationRequested(order_id="order-1")
ELSEWHERE = f"00-{'a' * 32}-{'b' * 16}-01"
EVENT = envelope_of(MESSAGE, source="shop", event_id="event-1", time=NOW)


def events(count: int, traceparent: str | None = None) -> list[bytes]:
    """Encoded messages of one order."""
    return [
        envelope_of(
            MESSAGE, source="shop", event_id=f"event-{number}", time=NOW, traceparent=traceparent
        ).encode()
        for number in range(count)
    ]


def test_an_event_names_the_span_that_sends_it() -> None:
    """That span is the child of the application's; a context that is given stands."""
    kept, producer = KeptSpans(), CollectingProducer()
    publisher = EventPublisher(producer, source="shop", spans=SendSpans(kept.tracer, "orders"))
    with kept.tracer.span("checkout", "server") as own:
        publisher.publish(MESSAGE)
        publisher.publish(MESSAGE, traceparent=ELSEWHERE)
    first, second, checkout = kept.ended()
    assert traceparent_of(checkout) == own.traceparent
    assert (first.name, first.kind, first.parent) == ("send orders", SpanKind.PRODUCER, checkout.context)
    found = [decode_envelope(data).traceparent for _, data in producer.records]
    assert found == [traceparent_of(first), ELSEWHERE]
    assert (len(first.links), len(second.links)) == (0, 1)


def test_without_a_tracer_events_go_out_as_they_are() -> None:
    """No context is made up, and none that they have is changed."""
    producer = CollectingProducer()
    publisher = EventPublisher(producer, source="shop")
    publisher.publish(MESSAGE)
    publisher.publish(MESSAGE, traceparent=ELSEWHERE)
    assert [decode_envelope(data).traceparent for _, data in producer.records] == [None, ELSEWHERE]


def test_a_span_ends_with_the_outcome_and_says_how() -> None:
    """A record that is given up later, and one that is refused at once; the caller hears the same as ever."""
    kept, producer = KeptSpans(), CollectingProducer()
    publisher = EventPublisher(producer, source="shop", spans=SendSpans(kept.tracer, "orders"))
    producer.failures = [gave_up()]
    assert publisher.publish(MESSAGE) is not None
    producer.refusals = [BufferFullError(1, 1)]
    with pytest.raises(BufferFullError):
        publisher.publish(MESSAGE)
    assert [span.attributes["error.type"] for span in kept.ended() if span.attributes] == [
        "DeliveryFailedError",
        "BufferFullError",
    ]


def test_it_ends_with_the_producer_s_own_acknowledgement() -> None:
    """A real producer's delivery calls back; until then the span is open."""
    kept, client = KeptSpans(), TinyClient()
    client.gate.clear()
    with Producer("orders", client=client) as producer:
        publisher = EventPublisher(producer, source="shop", spans=SendSpans(kept.tracer, "orders"))
        delivery = publisher.publish(MESSAGE)
        assert not kept.ended()
        client.gate.set()
        delivery.result(timeout=30)
    assert [span.name for span in kept.ended()] == ["send orders"]


def test_outputs_of_a_decision_have_a_span_each() -> None:
    """They keep the context of their decision, and link to it where it is not the current span."""
    kept, client = KeptSpans(), TinyClient()
    with Producer("orders", client=client) as producer:
        publisher = KinesisPublisher(producer, spans=SendSpans(kept.tracer, "orders"))
        with kept.tracer.span("process orders", "consumer") as deciding:
            publisher.publish(events(2, deciding.traceparent), "order-1")
        with kept.tracer.span("process orders", "consumer") as again:
            publisher.publish(events(2, deciding.traceparent), "order-1")
    found = [decode_envelope(payload).traceparent for payload in client.payloads]
    assert found == [deciding.traceparent] * 4
    sends = [span for span in kept.ended() if span.name == "send orders"]
    assert [len(span.links) for span in sends] == [0, 0, 1, 1]
    assert [span.parent.span_id if span.parent else 0 for span in sends] == [
        int(str(span.traceparent)[36:52], 16) for span in (deciding, deciding, again, again)
    ]


def test_outputs_go_out_byte_for_byte() -> None:
    """Whether they name a trace or none, as a correction of stock; so do bytes that are no event."""
    outputs = [*events(1), *events(1, ELSEWHERE), b"no event"]
    kept, client = KeptSpans(), TinyClient()
    with Producer("orders", client=client) as producer:
        KinesisPublisher(producer, spans=SendSpans(kept.tracer, "orders")).publish(outputs, "order-1")
    assert client.payloads == outputs
    assert len(kept.ended()) == 2


def test_a_refusal_ends_every_span_that_is_open() -> None:
    """What was not acknowledged has failed, in the spans as for the caller."""
    kept, client = KeptSpans(), TinyClient()
    client.failures = [client_error("AccessDeniedException")]
    with Producer("orders", client=client, config=ProducerConfig(aggregation=False)) as producer:
        publisher = KinesisPublisher(producer, spans=SendSpans(kept.tracer, "orders"))
        with pytest.raises(DependencyError):
            publisher.publish(events(3, ELSEWHERE), "order-1")
    assert [span.status.status_code for span in kept.ended()] == [StatusCode.ERROR] * 3
