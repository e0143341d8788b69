"""The publisher joins contracts and producer."""

import datetime as dt
import uuid

import pytest

from fakes.messages import envelope_of
from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream.messages import IdentifierInvalidError, decode_envelope
from orderstream_orders.contracts import OrderCancellationRequested

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
    envelope = envelope_of(MESSAGE, source="orders", event_id="e1", time=NOW, conversation_id="c0")
    EventPublisher(producer, source="shop").publish_envelope(envelope)
    assert producer.records == [("order-1", envelope.encode())]


@pytest.mark.parametrize(
    "order_id", ["", "o\x01", "\ufefforder", "order ", "\ud800", "o" * 257, "\u00e9" * 257]
)
def test_an_order_id_that_cannot_be_carried_is_refused_where_it_enters(order_id: str) -> None:
    """Nothing is put; the error names the field and says what an identifier is."""
    producer = CollectingProducer()
    with pytest.raises(IdentifierInvalidError, match="512 bytes"):
        EventPublisher(producer, source="shop").publish(OrderCancellationRequested(order_id=order_id))
    assert producer.records == []


@pytest.mark.parametrize("order_id", ["order-1", "INV 7/2026", "B\u00fccher-7", "\uff11"])
def test_whatever_can_be_seen_may_name_an_order(order_id: str) -> None:
    """Other scripts too, and spaces inside."""
    producer = CollectingProducer()
    EventPublisher(producer, source="shop").publish(OrderCancellationRequested(order_id=order_id))
    assert [key for key, _ in producer.records] == [order_id]


@pytest.mark.parametrize("name", ["event_id", "correlation_id"])
def test_marks_are_identifiers_too(name: str) -> None:
    """What a reply carries back has to be carried."""
    with pytest.raises(IdentifierInvalidError):
        EventPublisher(CollectingProducer(), source="shop").publish(MESSAGE, **{name: "a\nb"})
