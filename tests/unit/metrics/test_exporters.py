"""Prometheus, OpenTelemetry and CloudWatch get what the meter has put together."""

import datetime as dt
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client.parser import text_string_to_metric_families

from fakes.kpl import client_error
from orderstream import AggregatingMeter
from orderstream.observability.metrics import Kind, Metric, PrometheusExporter
from orderstream.observability.metrics.cloudwatch import CloudWatchExporter
from orderstream.observability.metrics.otel import OpenTelemetryExporter

HANDLED = Metric("Handled", Kind.COUNTER, "Count", "Records that were handled.")
BYTES = Metric("DataBytesProcessed", Kind.COUNTER, "Bytes", "Their payloads.")
LAG = Metric("MillisBehindLatest", Kind.GAUGE, "Milliseconds", "How far it is behind.")
TIME = Metric("RecordProcessor.processRecords.Time", Kind.DISTRIBUTION, "Milliseconds", "How long it took.")
BY_REASON = Metric("Cancelled", Kind.COUNTER, "Count", 'Cancelled, with a "\\" in its text.', ("Reason",))


def some() -> AggregatingMeter:
    meter = AggregatingMeter({"Application": "saga"}, clock=lambda: 1_700_000_000.0)
    meter.record(HANDLED, 3)
    meter.record(BYTES, 120)
    meter.record(LAG, 2_500)
    for millis in (10, 20, 400):
        meter.record(TIME, millis)
    meter.record(BY_REASON, 1, 'out of "stock"\n')
    return meter


def test_prometheus_reads_the_page_and_finds_sums_since_the_start() -> None:
    """Its own parser reads it: names, labels, seconds instead of milliseconds, histograms that add up."""
    exporter = PrometheusExporter()
    assert exporter.text() == ""
    exporter.export(some().collect())
    exporter.export(some().collect())
    families = {family.name: family for family in text_string_to_metric_families(exporter.text())}
    samples = {
        (sample.name, sample.labels.get("reason"), sample.labels.get("le")): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert samples["orderstream_handled_total", None, None] == 6
    assert samples["orderstream_data_bytes_processed_bytes_total", None, None] == 240
    assert samples["orderstream_millis_behind_latest_seconds", None, None] == 2.5
    assert samples["orderstream_cancelled_total", 'out of "stock"\n', None] == 2
    time = "orderstream_record_processor_process_records_time_seconds"
    assert families[time].type == "histogram"
    assert samples[f"{time}_bucket", None, "0.01"] == 2
    assert samples[f"{time}_bucket", None, "0.025"] == 4
    assert samples[f"{time}_bucket", None, "+Inf"] == samples[f"{time}_count", None, None] == 6
    assert samples[f"{time}_sum", None, None] == pytest.approx(0.86)
    assert all(
        sample.labels["application"] == "saga" for family in families.values() for sample in family.samples
    )


def test_opentelemetry_gets_counters_gauges_and_histograms() -> None:
    """By the metrics' names, in lower case as its SDK has them; dimensions are attributes."""
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    exporter = OpenTelemetryExporter(provider.get_meter("test"))
    exporter.export(some().collect())
    exporter.export(some().collect())
    data = reader.get_metrics_data()
    assert data is not None
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    found = {metric.name: (metric.unit, list(metric.data.data_points)) for metric in scope.metrics}
    unit, (handled,) = found["orderstream.handled"]
    assert (unit, handled.value, handled.attributes) == ("1", 6, {"Application": "saga"})
    unit, (lag,) = found["orderstream.millisbehindlatest"]
    assert (unit, lag.value) == ("ms", 2_500)
    unit, (time,) = found["orderstream.recordprocessor.processrecords.time"]
    assert (unit, time.count, time.sum, time.max) == ("ms", 6, 860, 400)
    (cancelled,) = found["orderstream.cancelled"][1]
    assert cancelled.attributes == {"Application": "saga", "Reason": 'out of "stock"\n'}
    provider.shutdown()


class CloudWatch:
    """Keeps what is put, and is out of order for a call if told to."""

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []
        self.fails = False
        self.calls = 0

    def put_metric_data(self, **request: Any) -> None:
        assert request["Namespace"] == "Shop"
        assert len(request["MetricData"]) <= 1000
        self.calls += 1
        if self.fails:
            raise client_error("InternalServiceError", 500)
        self.data += request["MetricData"]


def test_cloudwatch_gets_values_with_their_counts() -> None:
    """A datum for each series: a sum, the readings, or values with how often each occurred."""
    cloudwatch = CloudWatch()
    CloudWatchExporter("Shop", client=cloudwatch).export(some().collect())
    data = {datum["MetricName"]: datum for datum in cloudwatch.data}
    assert data["Handled"] == {
        "MetricName": "Handled",
        "Unit": "Count",
        "Timestamp": dt.datetime.fromtimestamp(1_700_000_000, dt.UTC),
        "Dimensions": [{"Name": "Application", "Value": "saga"}],
        "Value": 3,
    }
    assert data["MillisBehindLatest"]["Values"] == [2_500]
    time = data["RecordProcessor.processRecords.Time"]
    assert (time["Values"], time["Counts"]) == ([10, 20, 400], [1, 1, 1])


def test_what_cloudwatch_took_is_not_sent_again() -> None:
    """Of many series some calls may succeed: those that failed are what is left."""
    cloudwatch = CloudWatch()
    meter = AggregatingMeter(max_series=200)
    for number in range(200):
        meter.record(BY_REASON, 1, f"reason-{number}")
    collected = meter.collect()

    def fail_at_the_third(**request: Any) -> None:
        cloudwatch.fails = cloudwatch.calls == 2
        cloudwatch.put_metric_data(**request)

    class Client:
        put_metric_data = staticmethod(fail_at_the_third)

    exporter = CloudWatchExporter("Shop", client=Client())
    with pytest.raises(Exception, match="InternalServiceError"):
        exporter.export(collected)
    assert len(collected.points) == 20
    exporter.export(collected)
    assert collected.points == []
    assert sum(datum["Value"] for datum in cloudwatch.data) == 200
