"""Every alarm of a pipeline, evaluated minute by minute over EMF lines.

A minute may last less than 60 seconds: where a local environment writes its metrics k times as often, the
periods of alarms last a k-th. So what grows with the clock counts k times: ages, and how often something
happens within a period. Shares, numbers of things that are there, and how long a call took count as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orderstream.observability.metrics import Kind
from orderstream.observability.metrics.exporting import PERIOD
from orderstream_playground.local.alarms.evaluation import MORE_FETCHED, AlarmState, next_state
from orderstream_playground.local.alarms.samples import Samples, series_of, window
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.telemetry.metrics import NAMESPACE
from orderstream_workers.runtime.topology import StreamSpec
from orderstream_workers.runtime.topology.alarm_spec import (
    AlarmSpec,
    AwsMetric,
    Comparison,
    OwnMetric,
    Series,
    Share,
)

_GRACE: Final = 1.0
"""Seconds after a minute's end in which its lines may still be on their way into a file."""

_MEASURED_HERE: Final = ("AWS/Kinesis",)
"""The namespaces of AWS that an emulator writes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alarm stands.

    Attributes:
        spec: The alarm.
        state: What it says; None where nothing here measures what it watches.
        since: When it came to that state, in seconds since 1970.
        latest: The newest datapoint of those that were looked at, as it would be if a minute lasted 60
            seconds; None where all are missing.
    """

    spec: AlarmSpec
    state: AlarmState | None
    since: float | None
    latest: float | None


@dataclass(slots=True)
class _Alarm:
    spec: AlarmSpec
    state: AlarmState = AlarmState.INSUFFICIENT_DATA
    since: float | None = None
    latest: float | None = None


class Board:
    """All alarms. They begin once enough minutes have been measured, so that a start is no gap.

    Args:
        specs: The alarms.
        settings: What the resources are called.
        minute: Seconds that a minute lasts.
    """

    def __init__(self, specs: Sequence[AlarmSpec], settings: Settings, minute: float = PERIOD) -> None:
        self._alarms = [_Alarm(spec) for spec in specs]
        self._settings = settings
        self._minute = minute
        self._evaluated: float | None = None

    def advance(self, samples: Samples, now: float) -> frozenset[str]:
        """Evaluate at the end of each minute since the last call.

        Args:
            samples: What was measured.
            now: Seconds since 1970.

        Returns:
            The names of the alarms that were in ALARM at the end of one of these minutes.
        """
        rang: frozenset[str] = frozenset()
        if samples.began is None:
            return rang
        first = samples.began // self._minute + 1
        done = first if self._evaluated is None else self._evaluated
        while (done + 1) * self._minute <= now - _GRACE:
            done += 1
            for alarm in self._alarms:
                self._evaluate(alarm, samples, done * self._minute, first * self._minute)
            rang |= self.ringing()
        self._evaluated = done
        return rang

    def standings(self) -> list[Standing]:
        """How each alarm stands."""
        return [
            Standing(
                alarm.spec, alarm.state if measured_here(alarm.spec) else None, alarm.since, alarm.latest
            )
            for alarm in self._alarms
        ]

    def ringing(self) -> frozenset[str]:
        """The names of the alarms that are in ALARM."""
        return frozenset(alarm.spec.name for alarm in self._alarms if alarm.state is AlarmState.ALARM)

    def _evaluate(self, alarm: _Alarm, samples: Samples, end: float, begin: float) -> None:
        spec = alarm.spec
        bounds = window(end, spec.period_seconds * self._minute / PERIOD, spec.periods + MORE_FETCHED)
        if bounds[0] < begin:
            return
        scale = PERIOD / self._minute if _grows_with_the_clock(spec.watches) else 1.0
        found = [
            None if each is None else each * scale for each in self._datapoints(spec.watches, samples, bounds)
        ]
        breaching = [
            None if each is None else breaches(each, spec.comparison, spec.threshold) for each in found
        ]
        state = next_state(
            breaching,
            out_of=spec.periods,
            to_alarm=spec.datapoints,
            missing=spec.missing,
            before=alarm.state,
        )
        alarm.latest = next((each for each in reversed(found) if each is not None), None)
        if state is not alarm.state or alarm.since is None:
            alarm.state, alarm.since = state, end

    def _datapoints(
        self, watched: Series | Share, samples: Samples, bounds: Sequence[float]
    ) -> list[float | None]:
        if isinstance(watched, Series):
            return self._of_series(watched, samples, bounds)
        part, of = (
            [
                sum(each or 0.0 for each in values)
                for values in zip(*(self._of_series(one, samples, bounds) for one in series), strict=True)
            ]
            for series in (watched.part, watched.of)
        )
        return [
            100 * some / all_of_it if all_of_it else None for some, all_of_it in zip(part, of, strict=True)
        ]

    def _of_series(self, series: Series, samples: Samples, bounds: Sequence[float]) -> list[float | None]:
        metric = series.metric
        if isinstance(metric, OwnMetric):
            key = series_of(NAMESPACE, metric.name, metric.dimensions)
        elif isinstance(metric.of, StreamSpec):
            key = series_of(metric.namespace, metric.name, {"StreamName": self._settings.name_of(metric.of)})
        else:
            return [None] * (len(bounds) - 1)
        return samples.datapoints(key, series.statistic, bounds)


def measured_here(spec: AlarmSpec) -> bool:
    """Whether a local environment measures what an alarm watches."""
    return all(
        not isinstance(series.metric, AwsMetric) or series.metric.namespace in _MEASURED_HERE
        for series in spec.series
    )


def breaches(value: float, comparison: Comparison, threshold: float) -> bool:
    """Whether a datapoint breaches."""
    match comparison:
        case "GreaterThanOrEqualToThreshold":
            return value >= threshold
        case "GreaterThanThreshold":
            return value > threshold
        case "LessThanOrEqualToThreshold":
            return value <= threshold
        case "LessThanThreshold":
            return value < threshold


def _grows_with_the_clock(watched: Series | Share) -> bool:
    """Sums, and gauges of time: those say since when something lasts, distributions how long a call took."""
    if not isinstance(watched, Series):
        return False
    metric = watched.metric
    return watched.statistic == "Sum" or (
        isinstance(metric, OwnMetric)
        and metric.metric.kind is Kind.GAUGE
        and metric.unit in {"Milliseconds", "Seconds"}
    )
