"""Exporters in threads of their own: one that is down or slow costs neither counts nor anybody else."""

import threading

import pytest

from orderstream import AggregatingMeter, ConfigError, Exporting
from orderstream.observability.metrics import Collected, Kind, Metric

WAIT = 30.0
HANDLED = Metric("Handled", Kind.COUNTER, "Count", "Records that were handled.")


class Taking:
    """Keeps the sums it is given; out of order for the first calls, held up while a gate is shut."""

    def __init__(self, failures: int = 0, period: float = 0.001) -> None:
        self.period = period
        self.failures = failures
        self.gate = threading.Event()
        self.gate.set()
        self.called = threading.Semaphore(0)
        self.taken: list[float] = []

    def export(self, collected: Collected) -> None:
        self.called.release()
        assert self.gate.wait(WAIT)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("nobody listens")
        self.taken.append(sum(point.total for point in collected.points))

    def wait_called(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.called.acquire(timeout=WAIT)


def test_an_exporter_that_is_down_loses_no_counts_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """What could not be exported comes with what is next; the log says it once, and when it is over."""
    caplog.set_level("INFO")
    meter, exporter = AggregatingMeter(), Taking(failures=4)
    with Exporting(meter, [exporter], tick=0.001):
        for _ in range(5):
            meter.record(HANDLED)
            exporter.wait_called()
        while not exporter.taken:
            exporter.wait_called()
    assert sum(exporter.taken) == 5
    said = [record.getMessage() for record in caplog.records]
    assert said == ["metrics are not exported; they are kept", "metrics are exported again"]


def test_an_exporter_that_hangs_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Recording goes on, the other exporter gets its figures, and the end does not wait for it."""
    meter, hanging, other = AggregatingMeter(), Taking(), Taking()
    hanging.gate.clear()
    exporting = Exporting(meter, [hanging, other], tick=0.001)
    with exporting:
        for _ in range(20):
            meter.record(HANDLED)
            other.wait_called()
        exporting.close(timeout=0.1)
    assert sum(other.taken) == 20
    assert hanging.taken == []
    assert len(caplog.records) == 1
    hanging.gate.set()


def test_the_end_exports_what_is_left() -> None:
    """A process that ends a second after its start has exported its figures all the same."""
    meter, exporter = AggregatingMeter(), Taking(period=3_600)
    with Exporting(meter, [exporter], tick=3_600):
        meter.record(HANDLED, 7)
    assert exporter.taken == [7]


def test_readings_are_taken_before_each_collection() -> None:
    """Gauges are read every tick, not only when something happens, and at the end."""
    meter, exporter = AggregatingMeter(), Taking(period=3_600)
    meter.before_collecting(lambda: meter.record(HANDLED))
    with Exporting(meter, [exporter], tick=3_600):
        pass
    assert exporter.taken == [1]


def test_two_exporters_share_no_figures() -> None:
    """Each merges what it has not taken by itself."""
    meter, slow, quick = AggregatingMeter(), Taking(period=3_600), Taking()
    with Exporting(meter, [slow, quick], tick=0.001):
        for _ in range(10):
            meter.record(HANDLED)
            quick.wait_called()
    assert sum(quick.taken) == 10
    assert slow.taken == [10]


def test_a_tick_is_above_zero() -> None:
    """A loop without a pause would burn a core."""
    with pytest.raises(ConfigError, match="tick"):
        Exporting(AggregatingMeter(), [], tick=0)
