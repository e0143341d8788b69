"""EMF lines: within Amazon's specification, whatever is recorded."""

import io

from hypothesis import given
from hypothesis import strategies as st

from fakes.metrics import emf, emf_sums
from orderstream import AggregatingMeter, EmfExporter
from orderstream.observability.metrics import Kind, Metric
from orderstream.observability.metrics.emf import emf_lines

HANDLED = Metric("Handled", Kind.COUNTER, "Count", "Records that were handled.")
LAG = Metric("MillisBehindLatest", Kind.GAUGE, "Milliseconds", "How far it is behind.")
TIME = Metric("OrderLatency", Kind.DISTRIBUTION, "Milliseconds", "How long it took.")
BY_REASON = Metric("Cancelled", Kind.COUNTER, "Count", "Cancelled orders.", ("Reason",))


def lines_of(meter: AggregatingMeter) -> list[str]:
    return list(emf_lines(meter.collect(), "Orderstream", {"worker_id": "saga-1"}))


def test_a_line_names_its_metrics_and_dimensions() -> None:
    """One line has all metrics of the same dimensions; ids are members of it and no dimensions."""
    meter = AggregatingMeter({"Application": "saga"}, clock=lambda: 1_700_000_000.5)
    meter.record(HANDLED, 3)
    meter.record(LAG, 10)
    meter.record(LAG, 30)
    meter.record(TIME, 1_500, times=2)
    meter.record(BY_REASON, 1, "out_of_stock")
    first, second = map(emf, lines_of(meter))
    assert first == {
        "_aws": {
            "Timestamp": 1_700_000_000_500,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Orderstream",
                    "Dimensions": [["Application"]],
                    "Metrics": [
                        {"Name": "Handled", "Unit": "Count"},
                        {"Name": "MillisBehindLatest", "Unit": "Milliseconds"},
                        {"Name": "OrderLatency", "Unit": "Milliseconds"},
                    ],
                }
            ],
        },
        "worker_id": "saga-1",
        "Application": "saga",
        "Handled": 3,
        "MillisBehindLatest": [10, 30],
        "OrderLatency": [1500, 1500],
    }
    assert second["Reason"] == "out_of_stock"
    assert second["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Application", "Reason"]]


def test_many_values_take_more_lines_and_no_line_has_too_many() -> None:
    """A hundred values a line, three hundred a period; counters are in one of the lines only."""
    meter = AggregatingMeter()
    for number in range(1_000):
        meter.record(TIME, number)
    meter.record(HANDLED, 1_000)
    lines = lines_of(meter)
    assert [len(emf(line)["OrderLatency"]) for line in lines] == [100, 100, 100]
    assert emf_sums(lines)["Handled",] == 1_000


def test_nothing_recorded_writes_nothing_and_lines_are_flushed() -> None:
    """A reader of a pipe sees a line when it is written."""
    stream = io.StringIO()
    exporter, meter = EmfExporter(stream=stream), AggregatingMeter()
    exporter.export(meter.collect())
    assert stream.getvalue() == ""
    meter.record(HANDLED)
    exporter.export(meter.collect())
    assert emf_sums(stream.getvalue().splitlines()) == {("Handled",): 1}


@given(
    st.lists(st.tuples(st.text(max_size=30), st.floats(-1e30, 1e30)), max_size=15),
    st.lists(st.floats(0, 1e30), max_size=20),
)
def test_every_line_is_within_the_specification(
    labelled: list[tuple[str, float]], measured: list[float]
) -> None:
    """Labels of any text, numbers of any size: valid lines, without a line break."""
    meter = AggregatingMeter({"Application": "\N{SNOWMAN}"}, max_series=10)
    for label, value in labelled:
        meter.record(BY_REASON, value, label)
    for value in measured:
        meter.record(TIME, value)
    for line in lines_of(meter):
        assert "\n" not in line
        emf(line)


def test_a_hundred_metrics_are_a_line() -> None:
    """A directive has at most a hundred, so more of them are two lines."""
    meter = AggregatingMeter()
    for number in range(150):
        meter.record(Metric(f"M{number}", Kind.COUNTER, "Count", "One of many."))
    lines = lines_of(meter)
    assert len(lines) == 2
    assert len(emf_sums(lines)) == 150
