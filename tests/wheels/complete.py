"""Run by pytest in a clean environment: what the SDK does with all its extras."""

import datetime as dt

from prometheus_client import CollectorRegistry, generate_latest

from orderstream import EventPublisher, Producer
from orderstream.api import create_app
from orderstream.events import StockRejected, decode_envelope
from orderstream.kpl import deaggregate
from orderstream.metrics.otel import OpenTelemetryMetrics
from orderstream.metrics.prometheus import PrometheusMetrics
from orderstream.testing import FakeKinesis
from orderstream.testing import server as served
from orderstream.tracing import opentelemetry_traceparent


def test_an_event_goes_out_compressed_and_counted(fake_kinesis: FakeKinesis) -> None:
    """The fixture is there, and the extras for compression, metrics and traces do their part."""
    registry = CollectorRegistry()
    message = StockRejected(order_id="order-42", reason="out of stock, " * 100)
    metrics = PrometheusMetrics("orders", registry)
    with Producer("orders", client=fake_kinesis.client(), metrics=metrics) as producer:
        publisher = EventPublisher(
            producer, source="shop", tracing=opentelemetry_traceparent, compression="zstd"
        )
        delivered = publisher.publish(message).result(timeout=30)
    (record,) = fake_kinesis.records("orders", delivered.shard_id)
    (user_record,) = deaggregate(record.data, record.partition_key).user_records
    envelope = decode_envelope(user_record.data)
    assert len(user_record.data) < len(envelope.encode()) / 3
    assert envelope.message() == message
    assert envelope.time <= dt.datetime.now(dt.UTC)
    assert b"orderstream_producer_user_records" in generate_latest(registry)


def test_every_other_extra_can_be_imported() -> None:
    """The API, the served fake and OpenTelemetry's instruments find what they need."""
    assert callable(create_app)
    assert callable(served.main)
    assert OpenTelemetryMetrics("orders")
