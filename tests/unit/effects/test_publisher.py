"""The publisher: it returns when all is acknowledged, and every other end is the dependency's fault."""

import pytest

from fakes.engine import ARRIVAL
from fakes.kpl import TinyClient, client_error
from fakes.messages import envelope_of
from orderstream import Producer, ProducerConfig
from orderstream.errors import DependencyError
from orderstream.messages import decode_envelope
from orderstream_consumer.idempotency import KinesisPublisher
from orderstream_orders.contracts import StockRejected


def test_it_returns_when_all_is_acknowledged_in_order() -> None:
    """What was published is in the stream, in its order, by the time the call returns."""
    client = TinyClient()
    with Producer("orders", client=client) as producer:
        KinesisPublisher(producer).publish([b"1", b"2", b"3"], "o-1")
        assert client.payloads == [b"1", b"2", b"3"]


def test_it_compresses_where_it_is_told_to() -> None:
    """Long messages travel compressed and are the same ones to whoever decodes them."""
    message = StockRejected(order_id="o-1", reason="out of stock, " * 100)
    envelope = envelope_of(message, source="inventory", event_id="e-1", time=ARRIVAL)
    client = TinyClient()
    with Producer("orders", client=client) as producer:
        KinesisPublisher(producer, compress=True).publish([envelope.encode()], "o-1")
    (payload,) = client.payloads
    assert len(payload) < len(envelope.encode()) / 3
    assert decode_envelope(payload) == envelope


def test_nothing_to_publish_is_done_at_once() -> None:
    """A decision without outputs asks nothing of Kinesis."""
    client = TinyClient()
    with Producer("orders", client=client) as producer:
        KinesisPublisher(producer).publish([], "o-1")
    assert client.put_requests == []


def test_a_reply_that_does_not_come_is_an_outage() -> None:
    """The wait is bounded; after it the input goes back to its retry, though the record may still arrive."""
    client = TinyClient()
    client.gate.clear()
    with Producer("orders", client=client) as producer:
        with pytest.raises(DependencyError):
            KinesisPublisher(producer, timeout=0.01).publish([b"1"], "o-1")
        client.gate.set()


@pytest.mark.parametrize("size", [10, 20_000, 100_000])
def test_no_message_overtakes_one_that_was_refused(size: int) -> None:
    """A final refusal takes the later messages along, in one aggregate or not; all are published again."""
    messages = [b"%d" % number + bytes(size) for number in range(5)]
    for _ in range(40):
        client = TinyClient()
        client.failures = [client_error("AccessDeniedException")]
        with Producer("orders", client=client, config=ProducerConfig(aggregation=False)) as producer:
            publisher = KinesisPublisher(producer)
            with pytest.raises(DependencyError, match="AccessDenied"):
                publisher.publish(messages, "o-1")
            publisher.publish(messages, "o-1")
        assert client.payloads == messages


def test_a_full_buffer_and_a_closed_producer_are_outages() -> None:
    """Neither says anything about the input, which must be retried and never parked."""
    client = TinyClient()
    client.gate.clear()
    config = ProducerConfig(buffered_bytes=2 * 2**20, when_full="raise")
    with Producer("orders", client=client, config=config) as producer:
        publisher = KinesisPublisher(producer)
        for _ in range(2):
            producer.put(bytes(2**20 - 3), "o-2")
        with pytest.raises(DependencyError, match="no room"):
            publisher.publish([b"1"], "o-1")
        client.gate.set()
    with pytest.raises(DependencyError, match="closed"):
        publisher.publish([b"1"], "o-1")
