"""The publisher joins contracts and producer."""

import datetime as dt
import uuid

from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream.events import OrderCancellationRequested, decode_envelope, initial

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
MESSAGE = OrderCancellationRequested(order_id="order-1")


def test_a_message_is_wrapped_and_put_under_its_order() -> None:
    """Id, time, source and marks end up in the envelope; the partition key is the order id."""
    producer = CollectingProducer()
    publisher = EventPublisher(producer, source="shop", clock=lambda: NOW)
    publisher.publish(MESSAGE, event_id="e1", correlation_id="c1", traceparent="t1").result(1)
    ((key, data),) = producer.records
    envelope = decode_envelope(data)
    assert key == "order-1"
    assert (envelope.id, envelope.source, envelope.time) == ("e1", "shop", NOW)
    assert (envelope.conversation_id, envelope.correlation_id, envelope.traceparent) == ("e1", "c1", "t1")
    assert envelope.message() == MESSAGE


def test_without_an_id_every_message_is_a_new_event() -> None:
    """The default id is random, and time is the present."""
    producer = CollectingProducer()
    publisher = EventPublisher(producer, source="shop")
    before = dt.datetime.now(dt.UTC)
    publisher.publish(MESSAGE)
    publisher.publish(MESSAGE)
    first, second = (decode_envelope(data) for _, data in producer.records)
    assert uuid.UUID(first.id) != uuid.UUID(second.id)
    assert before <= first.time <= dt.datetime.now(dt.UTC)


def test_an_envelope_goes_out_as_it_is() -> None:
    """Nothing is changed on the way, so that a retry has the same bytes."""
    producer = CollectingProducer()
    envelope = initial(MESSAGE, source="orders", event_id="e1", time=NOW, conversation_id="c0")
    EventPublisher(producer, source="shop").publish_envelope(envelope)
    assert producer.records == [("order-1", envelope.encode())]
