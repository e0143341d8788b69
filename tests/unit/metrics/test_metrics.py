"""The ready-made metrics: what a producer tells arrives under the documented names."""

import threading
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry

from fakes.kpl import TinyClient, client_error
from orderstream import Producer, ProducerMetrics
from orderstream.observability.metrics.cloudwatch import CloudWatchMetrics
from orderstream.observability.metrics.otel import OpenTelemetryMetrics
from orderstream.observability.metrics.prometheus import PrometheusMetrics

WAIT = 30.0
SHARD = "shardId-000000000000"


def put_some(metrics: ProducerMetrics) -> None:
    """One record is refused once and delivered, another is given up."""
    client = TinyClient()
    client.failures = [client_error("InternalFailure", 500)]
    with Producer("orders", client=client, metrics=metrics) as producer:
        producer.put(b"data", "key").result(WAIT)
        client.failures = [client_error("AccessDeniedException")]
        assert producer.put(b"data", "key").exception(WAIT)


class CloudWatch:
    """Keeps what is put, and is out of order for the first calls if told to."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[dict[str, Any]] = []
        self.failures = failures
        self.called = threading.Event()

    def put_metric_data(self, **request: Any) -> None:
        self.called.set()
        if self.failures:
            self.failures -= 1
            raise client_error("InternalServiceError", 500)
        self.calls.append(request)

    def sums(self) -> dict[tuple[str, str | None], float]:
        """Return the sums by metric and the dimension besides the stream."""
        found = {}
        for call in self.calls:
            for datum in call["MetricData"]:
                stream, *others = datum["Dimensions"]
                assert stream == {"Name": "StreamName", "Value": "orders"}
                place = others[0]["Value"] if others else None
                found[datum["MetricName"], place] = datum["StatisticValues"]["Sum"]
        return found


def test_prometheus_counts_by_stream_and_shard() -> None:
    """Records, bytes, errors by code, and both times as histograms."""
    registry = CollectorRegistry()
    put_some(PrometheusMetrics("orders", registry))

    def value(name: str, shard: str = SHARD, **labels: str) -> float | None:
        labels |= {"stream": "orders", "shard": shard}
        return registry.get_sample_value(f"orderstream_producer_{name}", labels)

    assert value("user_records_total") == 1
    assert value("user_record_bytes_total") == 7
    assert value("kinesis_records_total") == 1
    assert value("errors_total", code="InternalFailure") == 1
    assert value("errors_total", code="AccessDeniedException") == 1
    assert value("user_records_given_up_total", shard="") == 1
    assert value("request_seconds_count") == 3
    assert value("buffering_seconds_count") == 1


def test_opentelemetry_counts_with_attributes() -> None:
    """The instruments carry stream and shard in attributes, errors their type."""
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    put_some(OpenTelemetryMetrics("orders", provider.get_meter("test")))
    data = reader.get_metrics_data()
    assert data is not None
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    points = {metric.name: list(metric.data.data_points) for metric in scope.metrics}
    (records,) = points["orderstream.producer.user_records"]
    assert records.value == 1
    assert records.attributes == {"messaging.destination.name": "orders", "aws.kinesis.shard_id": SHARD}
    errors = {point.attributes["error.type"]: point.value for point in points["orderstream.producer.errors"]}
    assert errors == {"InternalFailure": 1, "AccessDeniedException": 1}
    assert points["orderstream.producer.user_records_given_up"][0].value == 1
    provider.shutdown()


def test_cloudwatch_gets_sums_when_closed() -> None:
    """KPL's names; by shard only if asked for; errors by their code."""
    cloudwatch = CloudWatch()
    with CloudWatchMetrics("orders", client=cloudwatch, period=3600) as metrics:
        put_some(metrics)
    sums = cloudwatch.sums()
    assert sums["UserRecordsPut", None] == 1
    assert sums["UserRecordsDataPut", None] == 7
    assert sums["UserRecordsGivenUp", None] == 1
    assert sums["AllErrors", None] == 2
    assert sums["ErrorsByCode", "InternalFailure"] == 1
    assert ("UserRecordsPut", SHARD) not in sums
    assert cloudwatch.calls[0]["Namespace"] == "KinesisProducerLibrary"
    with CloudWatchMetrics("orders", client=cloudwatch, period=3600, per_shard=True) as metrics:
        put_some(metrics)
    assert cloudwatch.sums()["UserRecordsPut", SHARD] == 1


def test_cloudwatch_is_told_every_period_and_an_outage_loses_no_counts() -> None:
    """What could not be sent is part of what is sent next."""
    cloudwatch = CloudWatch(failures=1)
    with CloudWatchMetrics("orders", client=cloudwatch, period=0.01) as metrics:
        metrics.completed(SHARD, 2, 20, 0.1)
        assert cloudwatch.called.wait(WAIT)
        metrics.completed(SHARD, 3, 30, 0.5)
    sent = [datum for call in cloudwatch.calls for datum in call["MetricData"]]
    assert sum(one["StatisticValues"]["Sum"] for one in sent if one["MetricName"] == "UserRecordsPut") == 5
    assert (
        min(one["StatisticValues"]["Minimum"] for one in sent if one["MetricName"] == "BufferingTime") == 100
    )
