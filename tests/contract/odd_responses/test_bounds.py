"""Where somebody waits for the outcome, an odd response ends the try: one call, and an error to go by."""

import datetime as dt
import gzip
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chaos.calls import Call
from fakes.orders_api import BODY
from fakes.publishing import CollectingProducer
from hostile.adapters import Clients
from hostile.responses import Delivery, Odd, Wire, good, outages
from hostile.server import HostileServer
from orderstream import AggregatingMeter, EventPublisher
from orderstream.errors import DependencyError
from orderstream.observability.metrics import Collected, Kind, Metric
from orderstream.observability.metrics.aggregation import merged
from orderstream.observability.metrics.cloudwatch import CloudWatchExporter
from orderstream_consumer.health import Dependency, stream_asked
from orderstream_orders.api import DynamoDBIdempotencyStore
from orderstream_orders.api.access import OrderAccess
from orderstream_orders.api.intake import Intake, UnknownOutcomeError
from orderstream_workers.runtime.asked import bucket_asked, sender_asked, topic_asked

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

# The sockets of broken responses are left to the garbage collector by http.client and urllib3.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


def _odd(wire: Wire) -> list[Odd]:
    return [odd for odd in outages(wire) if odd.delivery is not Delivery.SILENT][::4]


def test_a_customer_does_not_wait_for_a_second_try(server: HostileServer) -> None:
    """An order and a cancellation: the outcome is unknown, nothing is published, and the key resolves it."""
    producer = CollectingProducer()
    with Clients(server.url) as clients:
        store = DynamoDBIdempotencyStore(clients.aws("dynamodb"), "keys")
        access = OrderAccess(store, enforced=False)
        publisher = EventPublisher(producer, source="orders")
        intake = Intake(publisher, store, access, lambda: NOW, timeout=1.0)
        for odd in _odd(Wire.JSON):
            server.say(odd)
            server.calls.clear()
            with pytest.raises(UnknownOutcomeError):
                intake.place("shop", "invoice-1", msgspec.json.encode(BODY), "application/json")
            with pytest.raises(UnknownOutcomeError):
                intake.cancel("shop", "order-1", "")
            assert [call.operation for call in server.calls] == ["PutItem", "GetItem"]
    assert producer.records == []


def test_metrics_that_nobody_took_are_sent_again(server: HostileServer) -> None:
    """A page in CloudWatch's place costs detail and no counts, and never stops what is measured."""
    with Clients(server.url) as clients:
        meter, exporter = AggregatingMeter(), CloudWatchExporter(client=clients.aws("cloudwatch"))
        pending: Collected | None = None
        for odd in _odd(Wire.JSON):
            server.say(odd)
            meter.record(Metric("UserRecordsPut", Kind.COUNTER, "Count", "Records."))
            pending = merged(pending, meter.collect())
            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, the figures are kept
                exporter.export(pending)
        server.say(good(Wire.JSON))
        server.calls.clear()
        assert pending is not None
        exporter.export(pending)
    (call,) = server.calls
    sums = {datum["MetricName"]: datum["Value"] for datum in _sent(call)}
    assert sums["UserRecordsPut"] == len(_odd(Wire.JSON))


def _sent(call: Call) -> list[dict[str, Any]]:
    body = gzip.decompress(call.body) if call.body[:2] == b"\x1f\x8b" else call.body
    data: list[dict[str, Any]] = json.loads(body)["MetricData"]
    return data


@pytest.mark.parametrize(
    ("service", "wire", "asked"),
    [
        ("kinesis", Wire.JSON, stream_asked),
        ("s3", Wire.XML, bucket_asked),
        ("sns", Wire.QUERY, topic_asked),
        ("ses", Wire.QUERY, sender_asked),
    ],
)
def test_health_takes_no_page_for_a_service_that_responds(
    server: HostileServer, service: str, wire: Wire, asked: Callable[[Any, str], Dependency]
) -> None:
    """The question fails, and is asked again with the next look."""
    with Clients(server.url) as clients:
        dependency = asked(clients.aws(service), "orders")
        for odd in _odd(wire):
            server.say(odd)
            server.calls.clear()
            with pytest.raises(DependencyError):
                dependency.ask()
            assert server.calls
