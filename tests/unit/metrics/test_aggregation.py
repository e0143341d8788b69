"""How values add up: distributions, series, merges, bounds."""

import logging
import math
import tracemalloc
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderstream import AggregatingMeter, ConfigError
from orderstream.observability.metrics import Collected, Distribution, Kind, Metric
from orderstream.observability.metrics.aggregation import OTHER, merged

HANDLED = Metric("Handled", Kind.COUNTER, "Count", "Records that were handled.")
LAG = Metric("MillisBehindLatest", Kind.GAUGE, "Milliseconds", "How far it is behind.")
TIME = Metric("Time", Kind.DISTRIBUTION, "Milliseconds", "How long it took.")
BY_REASON = Metric("Cancelled", Kind.COUNTER, "Count", "Cancelled orders.", ("Reason",))

values = st.lists(st.floats(0, 1e15) | st.integers(0, 10**6), min_size=1, max_size=60)


def filled(some: list[float]) -> Distribution:
    distribution = Distribution()
    for value in some:
        distribution.add(value)
    return distribution


def by_name(collected: Collected) -> dict[tuple[str, ...], float]:
    return {(point.metric.name, *point.labels): point.total for point in collected.points}


@given(values)
def test_a_distribution_keeps_what_percentiles_need(some: list[float]) -> None:
    """Count, sum, least and greatest are exact, and each value stands for its own within 6.3 %."""
    distribution = filled(some)
    assert distribution.count == len(some)
    assert distribution.total == pytest.approx(sum(some))
    assert (distribution.least, distribution.greatest) == (min(some), max(some))
    shown = distribution.values(len(some))
    assert len(shown) == len(some)
    for value, true in zip(shown, sorted(some), strict=True):
        assert value == pytest.approx(true, rel=0.063, abs=1e-7)


@given(values, values)
def test_merging_is_adding(one: list[float], other: list[float]) -> None:
    """Two periods that are exported together say what one would have said."""
    whole, merging = filled(one + other), filled(one)
    merging.merge(filled(other))
    assert merging.count == whole.count
    assert merging.total == pytest.approx(whole.total)
    assert (merging.least, merging.greatest) == (whole.least, whole.greatest)
    assert {index: bucket.count for index, bucket in merging.buckets.items()} == {
        index: bucket.count for index, bucket in whole.buckets.items()
    }


def test_thinned_values_keep_the_percentiles() -> None:
    """Of 100,000 values, 300 stand for them: the median, the 99th percentile and the extremes hold."""
    some = [math.exp(number / 10_000) for number in range(100_000)]
    shown = filled(some).values(300)
    assert len(shown) == 300
    assert (shown[0], shown[-1]) == (some[0], some[-1])
    true, said = quantiles(some, n=100), quantiles(shown, n=100)
    assert said[49] == pytest.approx(true[49], rel=0.07)
    assert said[98] == pytest.approx(true[98], rel=0.07)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=200))
def test_whatever_is_recorded_memory_is_bounded(some: list[float]) -> None:
    """Numbers of any size, infinities and NaN: no exception, at most 1,600 buckets."""
    meter = AggregatingMeter()
    for value in some:
        meter.record(TIME, value)
    for point in meter.collect().points:
        assert point.distribution is not None
        assert len(point.distribution.buckets) <= 1_600
        assert math.isfinite(point.distribution.total)


def test_a_clock_that_steps_back_does_no_harm() -> None:
    """A duration across the step is below 0 and counts as 0; the next collection is stamped with its time."""
    times = iter([1_000.0, 400.0])
    meter = AggregatingMeter(clock=lambda: next(times))
    meter.record(TIME, -3_600_000)
    (point,) = meter.collect().points
    assert point.distribution is not None
    assert (point.distribution.count, point.distribution.least, point.distribution.total) == (1, 0, 0)
    meter.record(HANDLED)
    collected = meter.collect()
    assert collected.at == 400.0
    assert by_name(collected) == {("Handled",): 1}


def test_a_gauge_keeps_its_last_least_and_greatest_reading() -> None:
    """A peak between two exports is not lost."""
    meter = AggregatingMeter()
    for lag in (5, 900, 20):
        meter.record(LAG, lag)
    (point,) = meter.collect().points
    assert point.reading is not None
    assert (point.reading.last, point.reading.least, point.reading.greatest) == (20, 5, 900)


def test_ten_thousand_labels_cost_a_bound_and_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is beyond the bound counts together, for as long as the meter lives; the sum stays right."""
    meter = AggregatingMeter(max_series=100)
    total = 0.0
    tracemalloc.start()
    for number in range(10_000):
        meter.record(BY_REASON, 1, f"order-{number}")
        if number % 1_000 == 999:
            collected = meter.collect()
            total += sum(point.total for point in collected.points)
            assert len(collected.points) <= 101
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 10_000
    assert peak < 500_000
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "Cancelled" in warning.__dict__["problem"]
    meter.record(BY_REASON, 1, "order-1")
    meter.record(BY_REASON, 1, "order-9999")
    assert by_name(meter.collect()) == {("Cancelled", "order-1"): 1, ("Cancelled", OTHER): 1}


def test_too_many_metrics_are_dropped_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A program that makes up names cannot fill the memory either."""
    meter = AggregatingMeter()
    for number in range(2_000):
        meter.record(Metric(f"Made{number}", Kind.COUNTER, "Count", "Made up."))
    assert len(meter.collect().points) == 500
    assert len(caplog.records) == 1


def test_what_is_no_number_or_has_the_wrong_labels_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A meter never raises: a defect in a figure must not park a record."""
    meter = AggregatingMeter()
    for _ in range(3):
        meter.record(HANDLED, math.nan)
        meter.record(BY_REASON)
    assert meter.collect().points == []
    assert len(caplog.records) == 2
    meter.record(HANDLED, "three")  # type: ignore[arg-type]
    assert meter.collect().points == []


def test_a_reading_that_fails_is_said_once_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """One gauge that cannot be read leaves the others."""
    meter = AggregatingMeter()

    def fail() -> None:
        raise ZeroDivisionError

    meter.before_collecting(fail)
    meter.before_collecting(lambda: meter.record(LAG, 7))
    for _ in range(3):
        (point,) = meter.collect().points
        assert point.metric == LAG
    assert len(caplog.records) == 1


def test_collections_merge_series_by_series() -> None:
    """What an exporter could not take comes with the next, under the later time."""
    meter = AggregatingMeter({"Application": "saga"}, clock=iter([1.0, 2.0]).__next__)
    meter.record(HANDLED, 2)
    meter.record(TIME, 10)
    older = meter.collect()
    meter.record(HANDLED, 3)
    meter.record(TIME, 20)
    meter.record(LAG, 5)
    both = merged(older, meter.collect())
    assert both.at == 2.0
    assert both.dimensions == {"Application": "saga"}
    assert by_name(both) == {("Handled",): 5, ("Time",): 0, ("MillisBehindLatest",): 0}
    assert [point.distribution.total for point in both.points if point.distribution] == [30]


def test_figures_of_another_process_are_taken_in() -> None:
    """A shard's process of KCL tells its worker, whose meter has all of them."""
    worker, shard = AggregatingMeter(), AggregatingMeter()
    worker.record(HANDLED)
    shard.record(HANDLED, 4)
    shard.record(BY_REASON, 1, "late")
    worker.absorb(shard.collect())
    assert by_name(worker.collect()) == {("Handled",): 5, ("Cancelled", "late"): 1}


def test_a_bound_has_a_range() -> None:
    """No series at all would measure nothing."""
    for bound in (0, 10_001):
        with pytest.raises(ConfigError, match="max_series"):
            AggregatingMeter(max_series=bound)
