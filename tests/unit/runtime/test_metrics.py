"""The catalogue of metrics: one declaration for each name, and a bound for each dimension."""

import io
from typing import Any

import pytest

from fakes.metrics import emf_sums
from orderstream.observability.metrics import EmfExporter, PrometheusExporter
from orderstream_consumer.processing.metrics import HANDLED
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings, SettingsError
from orderstream_workers.runtime.telemetry.metrics import exporting
from orderstream_workers.runtime.topology.metrics import LABELS, catalogue, custom_metrics
from orderstream_workers.services.saga import METRICS


def test_a_name_is_declared_once() -> None:
    """Two processes with a metric of one name mean the same by it."""
    names = [measurement.metric.name for measurement in catalogue(topology(Settings()))]
    assert len(names) == len(set(names)) > 60


def test_every_dimension_is_a_closed_list() -> None:
    """Ids are never dimensions: what a dimension may say is written down."""
    declared = {name for each in catalogue(topology(Settings())) for name in each.metric.dimensions}
    assert declared == set(LABELS)


def test_the_bill_counts_each_combination_in_each_process() -> None:
    """Of the saga: its own metrics with their labels, those of a consumer, those of a producer."""
    pipeline = topology(Settings())
    few, all_of_them = (custom_metrics(pipeline, detailed=detailed) for detailed in (False, True))
    assert set(few) == {process.name for process in pipeline.processes}
    own = sum(len(LABELS[metric.dimensions[0]]) if metric.dimensions else 1 for metric in METRICS)
    assert own == 5 + len(LABELS["Reason"]) + len(LABELS["Step"])
    assert own < few["saga"] < all_of_them["saga"]


def test_settings_say_where_metrics_go(capsys: pytest.CaptureFixture[str]) -> None:
    """EMF lines on standard output by default, with who wrote them; the last ones at the end."""
    for metrics, expected in (("emf", 1), ("none", 0), ("emf,none", 1)):
        from orderstream import AggregatingMeter

        meter, page = AggregatingMeter({"Application": "saga"}), PrometheusExporter()
        with exporting(Settings(metrics=metrics), meter, page, {"worker_id": "saga:1"}):
            meter.record(HANDLED)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == expected
        assert emf_sums(lines, "worker_id").get(("Handled", "saga:1"), 0) == expected
        assert 'orderstream_handled_total{application="saga"} 1' in page.text()


def test_unknown_exporters_are_refused() -> None:
    """A misspelt exporter would measure into the void."""
    with pytest.raises(SettingsError, match="METRICS"):
        Settings.from_environment({"ORDERSTREAM_METRICS": "statsd"})


def test_detailed_metrics_are_written_where_asked_for() -> None:
    """They cost as much as others and are looked at seldom."""
    from orderstream import AggregatingMeter
    from orderstream.producer.metrics import USER_RECORDS_PUT, USER_RECORDS_RECEIVED

    def written(**options: Any) -> set[str]:
        meter, stream = AggregatingMeter(), io.StringIO()
        meter.record(USER_RECORDS_PUT)
        meter.record(USER_RECORDS_RECEIVED)
        EmfExporter(stream=stream, **options).export(meter.collect())
        return {name for name, *_ in emf_sums(stream.getvalue().splitlines())}

    assert written() == {"UserRecordsPut", "UserRecordsReceived"}
    assert written(detailed=False) == {"UserRecordsPut"}
