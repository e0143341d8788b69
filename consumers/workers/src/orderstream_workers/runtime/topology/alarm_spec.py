"""An alarm as a value: what it watches, when it fires, and what the operator who gets its mail does first.

::

    AlarmSpec ──watches──> Series: one metric of ours, or one of AWS'
                      └──> Share:  some series in percent of others
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from orderstream.observability.metrics.metric import Metric
from orderstream_workers.runtime.topology.specs import QueueSpec, StreamSpec

Statistic = Literal["Average", "Maximum", "Minimum", "SampleCount", "Sum", "p50", "p99"]
"""How the values of a period become one number, in CloudWatch's words."""

Comparison = Literal[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanThreshold",
]
"""CloudWatch's words: a datapoint that compares so with the threshold is breaching."""

MissingData = Literal["breaching", "ignore", "missing", "notBreaching"]
"""What a period without a value counts as, in CloudWatch's words: ``ignore`` keeps the alarm's state, and
``missing`` makes it INSUFFICIENT_DATA once all are missing."""

SIGNS: Final[dict[Comparison, str]] = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanOrEqualToThreshold": "<=",
    "LessThanThreshold": "<",
}
"""The comparisons as a person writes them."""

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_WINDOW: Final = 86_400
"""Seconds that period and number of periods span at most (CloudWatch, PutMetricAlarm)."""


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A metric that a process of ours measures.

    Attributes:
        metric: Its declaration.
        process: Which process's: the value of the dimension ``Application``.
        labels: The values of the metric's own dimensions, in their order.
    """

    metric: Metric
    process: str
    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The metric's name in CloudWatch."""
        return self.metric.name

    @property
    def unit(self) -> str:
        """The metric's unit."""
        return self.metric.unit

    @property
    def dimensions(self) -> dict[str, str]:
        """All dimensions of the one custom metric that is meant, by their names."""
        own = zip(self.metric.dimensions, self.labels, strict=True)
        return {"Application": self.process, **dict(own)}


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway in front of a process that serves HTTP.

    Attributes:
        process: The name of the process.
    """

    process: str

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"gateway of {self.process}"


@dataclass(frozen=True, slots=True)
class AwsMetric:
    """A metric that an AWS service measures of something of ours.

    Attributes:
        namespace: CloudWatch's namespace, such as ``AWS/Kinesis``.
        name: The metric's name.
        unit: Its unit.
        of: What is measured; its dimension follows.
    """

    namespace: str
    name: str
    unit: str
    of: StreamSpec | QueueSpec | Gateway


@dataclass(frozen=True, slots=True)
class Series:
    """One number for each period.

    Attributes:
        metric: Of which metric.
        statistic: How the values of the period become a number.
    """

    metric: OwnMetric | AwsMetric
    statistic: Statistic

    @property
    def unit(self) -> str:
        """Its unit: a number of values has none of their own."""
        return "Count" if self.statistic == "SampleCount" else self.metric.unit


@dataclass(frozen=True, slots=True)
class Share:
    """The sum of some series in percent of the sum of others, for each period.

    A series without a value counts as 0; where ``of`` adds up to 0, the period has no value.

    Attributes:
        part: What is counted.
        of: All of it, ``part`` included.
    """

    part: tuple[Series, ...]
    of: tuple[Series, ...]

    @property
    def unit(self) -> str:
        """Its unit."""
        return "Percent"


Watched: TypeAlias = Series | Share


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """An alarm.

    It is in ALARM while at least ``datapoints`` of the last ``periods`` periods are breaching, and it goes
    back to OK by itself. Operators get a mail at each of the two changes.

    Attributes:
        name: Its name, in kebab case.
        about: What it concerns: the name of a process, or of a resource with its kind before it.
        says: What is wrong and what to do first, in one plain sentence: the operator's mail.
        runbook: The heading's anchor in ``docs/operations.md``, without the ``#``.
        watches: What it watches.
        comparison: How a breaching datapoint compares with the threshold.
        threshold: In the unit of what is watched.
        because: Why this threshold, and for so long.
        period_seconds: Seconds of a period: 10, 30 or a multiple of 60.
        datapoints: Breaching datapoints that make the alarm, 1 to ``periods``.
        periods: Periods that are looked at, a day of them at most.
        missing: What a period without a value counts as.

    Raises:
        ValueError: One of them cannot be: a defect in the declaration.
    """

    name: str
    about: str
    says: str
    runbook: str
    watches: Watched
    comparison: Comparison
    threshold: float
    because: str
    period_seconds: int = 60
    datapoints: int = 1
    periods: int = 1
    missing: MissingData = "notBreaching"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"an alarm's name is in kebab case, not {self.name!r}")
        if not 1 <= self.datapoints <= self.periods:
            raise ValueError(f"{self.name}: {self.datapoints} of {self.periods} datapoints cannot breach")
        if self.period_seconds not in {10, 30} and (self.period_seconds % 60 or self.period_seconds < 1):
            raise ValueError(f"{self.name}: {self.period_seconds} s is no period of CloudWatch")
        if self.period_seconds * self.periods > _LONGEST_WINDOW:
            raise ValueError(f"{self.name}: it looks at more than a day")

    @property
    def series(self) -> tuple[Series, ...]:
        """Every series that it watches, each once."""
        match self.watches:
            case Series():
                return (self.watches,)
            case Share():
                return tuple(dict.fromkeys((*self.watches.part, *self.watches.of)))

    @property
    def fires_when(self) -> str:
        """The condition in words, without what is watched: ``> 5 min, for 3 min``."""
        minutes = self.period_seconds / 60
        if self.datapoints < self.periods:
            window = f"in {self.datapoints * minutes:g} of {self.periods * minutes:g} min"
        elif self.periods == 1:
            window = "once" if minutes <= 1 else f"within {minutes:g} min"
        else:
            window = f"for {self.periods * minutes:g} min"
        return f"{SIGNS[self.comparison]} {self.shown(self.threshold)}, {window}"

    def shown(self, value: float) -> str:
        """A value of what is watched with its unit, as a person writes it."""
        return _shown(value, self.watches.unit)


def _shown(value: float, unit: str) -> str:
    """A value with its unit, as a person writes it."""
    if unit in {"Milliseconds", "Seconds"}:
        seconds = value / 1_000 if unit == "Milliseconds" else value
        size, name = next(
            (each for each in ((3_600, "h"), (60, "min")) if seconds and seconds % each[0] == 0), (1, "s")
        )
        return f"{seconds / size:g} {name}"
    return f"{value:g} %" if unit == "Percent" else f"{value:g}"
