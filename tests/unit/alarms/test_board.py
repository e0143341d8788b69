"""All alarms over the lines of processes: which ring, since when, and what a short minute scales."""

from dataclasses import replace
from itertools import count
from typing import Final

import pytest

from orderstream.observability.metrics import AggregatingMeter
from orderstream.observability.metrics.emf import emf_lines
from orderstream.observability.metrics.metric import Metric
from orderstream_consumer.processing.metrics import HEALTHY, MILLIS_BEHIND_LATEST, PARKED
from orderstream_orders.api.metrics import RESPONSES
from orderstream_playground.local.alarms.board import Board, measured_here
from orderstream_playground.local.alarms.evaluation import AlarmState
from orderstream_playground.local.alarms.samples import Samples
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.alarms import alarms
from orderstream_workers.services.payments.metrics import IN_DOUBT

SPECS: Final = alarms(topology(Settings()))
NAMES: Final = [process.name for process in topology(Settings()).processes]


class Pipeline:
    """Processes that write a line each minute, all of them well unless a test says something else."""

    def __init__(self, minute: float) -> None:
        self.minute = minute
        self.board = Board(SPECS, Settings(), minute)
        self.gone: set[str] = set()
        self._samples = Samples()
        self._minutes = count(1_000)

    def write(self, process: str, at: float, metric: Metric, value: float, *labels: str) -> None:
        meter = AggregatingMeter({"Application": process}, clock=lambda: at)
        meter.record(metric, value, *labels)
        for line in emf_lines(meter.collect(), "Orderstream"):
            self._samples.take(line.encode())

    def minutes(self, number: int, *said: tuple[str, Metric, float, tuple[str, ...]]) -> frozenset[str]:
        """Let minutes pass in which processes say something; returns what rings then."""
        for _ in range(number):
            self.look(self.unseen(*said))
        return self.board.ringing()

    def unseen(self, *said: tuple[str, Metric, float, tuple[str, ...]]) -> float:
        """Let a minute pass in which nobody looks at the alarms; returns a moment after it."""
        begin = next(self._minutes) * self.minute
        for process in NAMES:
            if process not in self.gone:
                self.write(process, begin + 0.4 * self.minute, HEALTHY, 1)
        for process, metric, value, labels in said:
            self.write(process, begin + 0.5 * self.minute, metric, value, *labels)
        return begin + self.minute + 1

    def look(self, at: float) -> frozenset[str]:
        """Evaluate up to a moment; returns what rang on the way."""
        return self.board.advance(self._samples, at)


@pytest.fixture(params=[60.0, 4.0])
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    return Pipeline(request.param)


def test_a_pipeline_that_is_well_rings_nothing(pipeline: Pipeline) -> None:
    """From its start on: what has not been measured yet is no gap."""
    assert [pipeline.minutes(1) for _ in range(12)] == [frozenset()] * 12
    states = {standing.spec.name: standing.state for standing in pipeline.board.standings()}
    assert states["saga-unhealthy"] is AlarmState.OK
    assert states["gateway-failing"] is None  # nothing here measures it


def test_a_process_that_is_gone_rings_once_its_last_figure_is_out_of_reach(pipeline: Pipeline) -> None:
    """Five minutes are evaluated and seven fetched; a figure brings the alarm back to OK."""
    pipeline.minutes(12)
    pipeline.gone.add("shipping")
    assert pipeline.minutes(6) == frozenset()
    assert pipeline.minutes(1) == {"shipping-unhealthy"}
    pipeline.gone.clear()
    assert pipeline.minutes(1) == frozenset()


def test_ages_shrink_with_the_minute_and_numbers_do_not(pipeline: Pipeline) -> None:
    """Five minutes behind for three minutes is behind; where minutes are short, a short lag is."""
    pipeline.minutes(12)
    scale = pipeline.minute / 60
    for share, expected in ((0.99, frozenset()), (1.01, frozenset({"saga-behind"}))):
        behind = ("saga", MILLIS_BEHIND_LATEST, 300_000 * scale * share, ())
        assert pipeline.minutes(4, behind) == expected
    assert pipeline.minutes(1, ("saga", MILLIS_BEHIND_LATEST, 0, ())) == frozenset()
    assert pipeline.minutes(1, ("saga", PARKED, 1, ())) == {"saga-parked"}


def test_what_happens_within_a_period_counts_as_if_the_period_were_whole(pipeline: Pipeline) -> None:
    """More than ten tries in doubt within five minutes, at whatever length a minute has."""
    pipeline.minutes(12)
    scale = pipeline.minute / 60
    assert pipeline.minutes(6, ("payment-worker", IN_DOUBT, 1.9 * scale, ())) == frozenset()
    assert pipeline.minutes(6, ("payment-worker", IN_DOUBT, 2.1 * scale, ())) == {"payments-in-doubt"}


def test_what_rang_while_nobody_looked_is_told(pipeline: Pipeline) -> None:
    """An alarm that is OK again at the next look has sent its mails all the same."""
    pipeline.minutes(12)
    pipeline.unseen(("saga", PARKED, 1, ()))
    assert pipeline.look(pipeline.unseen(("saga", PARKED, 0, ()))) == {"saga-parked"}
    assert pipeline.board.ringing() == frozenset()


def test_no_figure_keeps_an_alarm_that_ignores_it(pipeline: Pipeline) -> None:
    """Parked records do not go away because the process is restarted."""
    pipeline.minutes(12, ("saga", PARKED, 0, ()))
    pipeline.minutes(1, ("saga", PARKED, 1, ()))
    assert pipeline.minutes(8) == {"saga-parked"}
    assert pipeline.minutes(1, ("saga", PARKED, 0, ())) == frozenset()


def test_a_share_counts_all_classes(pipeline: Pipeline) -> None:
    """One failure in twenty is borne; of nothing there is no share."""
    pipeline.minutes(12)
    well = ("api", RESPONSES, 95, ("2xx",))
    assert pipeline.minutes(5, well, ("api", RESPONSES, 5, ("5xx",))) == frozenset()
    assert pipeline.minutes(5, well, ("api", RESPONSES, 6, ("5xx",))) == {"api-failing"}
    assert pipeline.minutes(10) == frozenset()


def test_the_time_of_a_change_is_kept(pipeline: Pipeline) -> None:
    """An operator sees since when an alarm rings, however often it is evaluated."""
    pipeline.minutes(12)
    pipeline.minutes(9, ("saga", PARKED, 1, ()))
    (standing,) = (one for one in pipeline.board.standings() if one.state is AlarmState.ALARM)
    assert standing.since == 1_013 * pipeline.minute
    assert standing.latest == 1


def test_only_what_aws_alone_measures_is_not_measured_here() -> None:
    """Everything else has a state: Kinesis' emulator writes what CloudWatch measures of its streams."""
    assert [spec.name for spec in SPECS if not measured_here(spec)] == ["gateway-failing"]


def test_a_moved_threshold_or_a_turned_comparison_is_seen() -> None:
    """What a board says hangs on every part of an alarm."""
    (spec,) = (spec for spec in SPECS if spec.name == "saga-parked")
    for planted, rings in (
        (spec, True),
        (replace(spec, threshold=1), False),
        (replace(spec, comparison="LessThanThreshold"), False),
        (replace(spec, periods=3, datapoints=3), False),
    ):
        pipeline = Pipeline(60.0)
        pipeline.board = Board([planted], Settings(), 60.0)
        pipeline.minutes(12, ("saga", PARKED, 0, ()))
        assert bool(pipeline.minutes(1, ("saga", PARKED, 1, ()))) is rings
