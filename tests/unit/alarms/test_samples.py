"""What CloudWatch would make of EMF lines: the meter's own lines are read back, and statistics are right."""

import pytest

from orderstream import AggregatingMeter
from orderstream.observability.metrics import Kind, Metric
from orderstream.observability.metrics.emf import emf_lines
from orderstream_playground.local.alarms.samples import Samples, series_of

HANDLED = Metric("Handled", Kind.COUNTER, "Count", "Records that were handled.")
LAG = Metric("MillisBehindLatest", Kind.GAUGE, "Milliseconds", "How far it is behind.")
TIME = Metric("OrderLatency", Kind.DISTRIBUTION, "Milliseconds", "How long it took.")
BY_REASON = Metric("Cancelled", Kind.COUNTER, "Count", "Cancelled orders.", ("Reason",))
SAGA = {"Application": "saga"}


def written(samples: Samples, at: float, *records: tuple[Metric, float, tuple[str, ...]]) -> None:
    meter = AggregatingMeter(SAGA, clock=lambda: at)
    for metric, value, labels in records:
        meter.record(metric, value, *labels)
    for line in emf_lines(meter.collect(), "Orderstream"):
        assert samples.take(line.encode())


def test_what_the_meter_writes_is_read_back() -> None:
    """Counters, gauges, distributions and labels of a process's own lines, a minute each."""
    samples = Samples()
    written(samples, 30, (HANDLED, 3, ()), (LAG, 10, ()), (LAG, 30, ()), (BY_REASON, 1, ("unknown_sku",)))
    written(samples, 90, (HANDLED, 2, ()), *((TIME, value, ()) for value in (1, 2, 3, 200)))
    bounds = [0, 60, 120]
    wanted = {
        ("Handled", "Sum"): [3, 2],
        ("Handled", "SampleCount"): [1, 1],
        ("MillisBehindLatest", "Maximum"): [30, None],
        ("MillisBehindLatest", "Minimum"): [10, None],
        ("MillisBehindLatest", "Average"): [20, None],
        ("OrderLatency", "p50"): [None, 2],
        ("OrderLatency", "p99"): [None, 200],
    }
    for (metric, statistic), expected in wanted.items():
        assert samples.datapoints(series_of("Orderstream", metric, SAGA), statistic, bounds) == expected
    cancelled = series_of("Orderstream", "Cancelled", SAGA | {"Reason": "unknown_sku"})
    assert samples.datapoints(cancelled, "Sum", bounds) == [1, None]


def test_containers_of_one_application_add_up() -> None:
    """Two processes write under the same dimensions; their values are one metric's."""
    samples = Samples()
    written(samples, 10, (HANDLED, 3, ()), (LAG, 10, ()))
    written(samples, 20, (HANDLED, 4, ()), (LAG, 90, ()))
    assert samples.datapoints(series_of("Orderstream", "Handled", SAGA), "Sum", [0, 60]) == [7]
    assert samples.datapoints(series_of("Orderstream", "MillisBehindLatest", SAGA), "Maximum", [0, 60]) == [
        90
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"level": "INFO", "message": "record parked"}',
        b'{"level": "INFO", "message": "\\"_aws\\" is what an EMF line begins with"}',
        b'{"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "O", "Dimensions": [["Appl',
        b'{"_aws": 7}',
        b"",
    ],
)
def test_other_lines_are_no_metrics(line: bytes) -> None:
    """Logs share the file, and the last line may be half written: nothing of them counts."""
    assert not Samples().take(line)


def test_old_values_are_forgotten() -> None:
    """A long watch takes no more memory than the periods that it evaluates."""
    samples = Samples(keeps=100)
    for at in range(0, 1_000, 10):
        written(samples, at, (HANDLED, 1, ()))
    handled = series_of("Orderstream", "Handled", SAGA)
    assert samples.datapoints(handled, "Sum", [0, 800, 1_000]) == [None, 11]
