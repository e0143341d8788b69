"""Run by pytest in a clean environment: what the SDK does with all its extras."""

import datetime as dt
from typing import ClassVar

from orderstream import AggregatingMeter, EventPublisher, Exporting, Producer
from orderstream.aggregation import deaggregate
from orderstream.messages import Event, decode_envelope, register
from orderstream.messages.spans import SendSpans
from orderstream.observability.metrics import PrometheusExporter
from orderstream.observability.metrics.otel import OpenTelemetryExporter
from orderstream.observability.tracing.otel import OpenTelemetryTracer
from orderstream.observability.tracing.xray import XRayTracer
from orderstream.testing import FakeKinesis
from orderstream.testing import server as served


@register
class PageViewed(Event, frozen=True, kw_only=True):
    """A message of somebody who has never heard of our orders."""

    owner: ClassVar[str] = "web"
    consumers: ClassVar[tuple[str, ...]] = ()
    subject_field: ClassVar[str] = "visitor"

    visitor: str
    page: str


def test_an_event_goes_out_compressed_and_counted(fake_kinesis: FakeKinesis) -> None:
    """The fixture is there, and the extras for compression, metrics and traces do their part."""
    message = PageViewed(visitor="visitor-42", page="/products, " * 100)
    meter, page = AggregatingMeter({"StreamName": "orders"}), PrometheusExporter()
    with (
        Exporting(meter, [page]),
        Producer("orders", client=fake_kinesis.client(), meter=meter) as producer,
    ):
        publisher = EventPublisher(
            producer,
            source="shop",
            spans=SendSpans(OpenTelemetryTracer(), "orders"),
            compression="zstd",
        )
        delivered = publisher.publish(message).result(timeout=30)
    (record,) = fake_kinesis.records("orders", delivered.shard_id)
    (user_record,) = deaggregate(record.data, record.partition_key).user_records
    envelope = decode_envelope(user_record.data)
    assert len(user_record.data) < len(envelope.encode()) / 3
    assert envelope.message() == message
    assert envelope.time <= dt.datetime.now(dt.UTC)
    assert 'orderstream_user_records_put_total{stream_name="orders"} 1' in page.text()


def test_every_other_extra_can_be_imported() -> None:
    """The served fake, OpenTelemetry's instruments and X-Ray's documents find what they need."""
    assert callable(served.main)
    XRayTracer("shop").close()
    assert OpenTelemetryExporter()
