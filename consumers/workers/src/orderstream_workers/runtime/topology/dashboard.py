"""The pipeline's dashboard as a value: rows of graphs, each with what it shows, its unit and its thresholds.

::

    Row ──> Alarms: the states of some alarms
       └──> Graph ──> Line: a series, the sum of several, or a share
                 └──> Threshold: where the alarms on what it shows begin

Nothing here knows how it is drawn: ``infra`` makes CloudWatch's dashboard of it, and ``make dashboard`` draws
it over the lines of a local run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from orderstream.observability.metrics.metric import Metric
from orderstream.producer.metrics import ALL_ERRORS, DELIVERY_TIME, USER_RECORDS_PUT
from orderstream_consumer.processing.metrics import (
    BREAKER_OPEN,
    CHECKPOINT_AGE,
    MILLIS_BEHIND_LATEST,
    PARKED,
    RECORDS_PROCESSED,
    RETRIED,
)
from orderstream_orders.api.metrics import LATENCY, RESPONSES
from orderstream_workers.runtime.topology.alarm_spec import (
    AlarmSpec,
    AwsMetric,
    OwnMetric,
    Series,
    Share,
    Statistic,
    Watched,
)
from orderstream_workers.runtime.topology.alarms import alarms
from orderstream_workers.runtime.topology.metrics import LABELS
from orderstream_workers.runtime.topology.processes import Process, Topology
from orderstream_workers.runtime.topology.specs import StreamSpec
from orderstream_workers.services.payments import metrics as payments
from orderstream_workers.services.saga import metrics as saga

PERIOD_SECONDS: Final = 60
"""Of every graph: processes write their metrics once a minute."""

_ASKED: Final = {
    "a-process-is-unhealthy-or-gone": "Does everything run?",
    "a-checkpoint-does-not-move": "Does everything run?",
    "a-dependency-fails": "Does everything run?",
    "an-application-falls-behind": "Is everything in time?",
    "the-retention-is-being-used-up": "Is everything in time?",
    "kinesis-throttles": "Is everything in time?",
    "a-record-is-parked": "Does a record wait, or is one lost?",
    "a-payment-is-a-dead-letter": "Does a record wait, or is one lost?",
    "records-expired-before-they-were-read": "Does a record wait, or is one lost?",
    "the-archive-has-a-gap": "Does a record wait, or is one lost?",
}
_ASKED_OF_OTHERS: Final = "Do orders suffer?"
_OPEN: Final = "1 is open"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a graph.

    Attributes:
        label: What the legend says.
        shows: The sum of these series, each of which may have no value; or a share.
    """

    label: str
    shows: tuple[Series, ...] | Share

    @property
    def series(self) -> tuple[Series, ...]:
        """Every series that it needs."""
        return (*self.shows.part, *self.shows.of) if isinstance(self.shows, Share) else self.shows


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where an alarm begins.

    Attributes:
        label: What it is called.
        value: In the graph's unit.
    """

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Graph:
    """Lines over time, one point a minute.

    Attributes:
        title: What it shows, with how: a person reads it at night.
        axis: The unit of its axis, in words.
        lines: What is drawn.
        scale: What values are multiplied by: 0.001 where milliseconds are shown as seconds.
        threshold: Where an alarm on it begins; None if none does above 0.
    """

    title: str
    axis: str
    lines: tuple[Line, ...]
    scale: float = 1
    threshold: Threshold | None = None


@dataclass(frozen=True, slots=True)
class Alarms:
    """The states of some alarms.

    Attributes:
        title: The question that they answer together.
        names: Their names.
    """

    title: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What stands side by side.

    Attributes:
        title: What it is about, and how to read it.
        widgets: From left to right.
    """

    title: str
    widgets: tuple[Graph | Alarms, ...]


def dashboard(topology: Topology) -> tuple[Row, ...]:
    """The rows of a pipeline's dashboard, from the top: first what is wrong, then where.

    Args:
        topology: The pipeline.
    """
    declared = alarms(topology)
    return tuple(
        Row(row.title, tuple(_with_threshold(widget, declared) for widget in row.widgets))
        for row in _rows(topology, declared)
    )


def _rows(topology: Topology, declared: tuple[AlarmSpec, ...]) -> Iterator[Row]:
    every, applications = topology.processes, topology.applications
    yield Row(
        "Is anything wrong? Red is an alarm, and its mail names the section of the guide", _states(declared)
    )
    yield Row("Orders: how many begin and end in a minute, and how long one takes", tuple(_orders()))
    yield Row(
        "Applications: how far each is behind its stream. Begin with the one that is behind first",
        (
            Graph(
                "Behind the tip of the stream", "seconds", _each(applications, MILLIS_BEHIND_LATEST), 0.001
            ),
            Graph("No checkpoint although records wait", "seconds", _each(applications, CHECKPOINT_AGE)),
            Graph("Records processed", "records a minute", _each(applications, RECORDS_PROCESSED)),
        ),
    )
    yield Row(
        "What fails: tries that are made again, work that is held back, records that wait for a person",
        (
            Graph("Tries that failed by an outage", "tries a minute", _each(applications, RETRIED)),
            Graph("Breaker open: a dependency fails", _OPEN, _each(applications, BREAKER_OPEN)),
            Graph(
                "Parked records and dead letters",
                "records that wait",
                (*_each(applications, PARKED), *_each(every, payments.DEAD_LETTERS)),
            ),
        ),
    )
    yield Row("Payments: the provider, and what waits for it", tuple(_payments(every)))
    yield Row("Streams: what is put into them, and what Kinesis refuses", tuple(_streams(topology)))
    yield Row("The orders API: what callers get", tuple(_api(every, declared)))


def _states(declared: tuple[AlarmSpec, ...]) -> tuple[Alarms, ...]:
    by_question: dict[str, list[str]] = {_ASKED_OF_OTHERS: []}
    for alarm in declared:
        by_question.setdefault(_ASKED.get(alarm.runbook, _ASKED_OF_OTHERS), []).append(alarm.name)
    return tuple(Alarms(question, tuple(names)) for question, names in by_question.items() if names)


def _orders() -> Iterator[Graph]:
    cancelled = {
        reason: Series(OwnMetric(saga.CANCELLED, "saga", (reason,)), "Sum") for reason in LABELS["Reason"]
    }
    yield Graph(
        "Orders",
        "orders a minute",
        (
            _line("accepted", "saga", saga.ACCEPTED, "Sum"),
            _line("confirmed", "saga", saga.CONFIRMED, "Sum"),
            Line("cancelled", tuple(cancelled.values())),
        ),
    )
    yield Graph(
        "From the 202 to the end of an order",
        "seconds",
        (
            _line("half of them (p50)", "saga", saga.ORDER_LATENCY, "p50"),
            _line("the slowest in a hundred (p99)", "saga", saga.ORDER_LATENCY, "p99"),
        ),
        0.001,
    )
    yield Graph(
        "Cancelled, by reason",
        "orders a minute",
        tuple(Line(reason, (series,)) for reason, series in cancelled.items()),
    )


def _payments(processes: Iterable[Process]) -> Iterator[Graph]:
    (worker,) = (process.name for process in processes if payments.PROVIDER_CALLS in process.measured)
    yield Graph(
        "Requests to the provider",
        "requests a minute",
        (
            _line("all", worker, payments.PROVIDER_CALLS, "Sum"),
            _line("throttled (429)", worker, payments.PROVIDER_THROTTLED, "Sum"),
            _line("no definite response", worker, payments.PROVIDER_UNAVAILABLE, "Sum"),
        ),
    )
    yield Graph(
        "Payments",
        "payments a minute",
        (
            _line("settled", worker, payments.PAYMENTS_SETTLED, "Sum"),
            _line("in doubt, made again", worker, payments.IN_DOUBT, "Sum"),
            _line("failed by an unexpected error", worker, payments.PAYMENTS_FAILED, "Sum"),
        ),
    )
    yield Graph(
        "Handed back, and none settled, since",
        "seconds",
        (_line(worker, worker, payments.UNSETTLED_TIME, "Maximum"),),
    )


def _streams(topology: Topology) -> Iterator[Graph]:
    writers = [process for process in topology.processes if process.writes]
    yield Graph("Records that Kinesis acknowledged", "records a minute", _each(writers, USER_RECORDS_PUT))
    yield Graph("From put to acknowledgement, p99", "milliseconds", _each(writers, DELIVERY_TIME))
    throttles = (
        ("writes", "WriteProvisionedThroughputExceeded"),
        ("reads", "ReadProvisionedThroughputExceeded"),
    )
    yield Graph(
        "Refused by Kinesis: records of ours, and what it throttled",
        "a minute",
        (
            *_each(writers, ALL_ERRORS),
            *(
                Line(
                    f"{stream.name}: {what} throttled",
                    (Series(AwsMetric("AWS/Kinesis", name, "Count", stream), "Sum"),),
                )
                for stream in topology.of(StreamSpec)
                for what, name in throttles
            ),
        ),
    )


def _api(processes: Iterable[Process], declared: tuple[AlarmSpec, ...]) -> Iterator[Graph]:
    (api,) = (process.name for process in processes if RESPONSES in process.measured)
    yield Graph(
        "Responses, by class",
        "responses a minute",
        tuple(
            Line(each, (Series(OwnMetric(RESPONSES, api, (each,)), "Sum"),)) for each in LABELS["StatusClass"]
        ),
    )
    yield Graph(
        "From a request to its response",
        "milliseconds",
        (
            _line("half of them (p50)", api, LATENCY, "p50"),
            _line("the slowest in a hundred (p99)", api, LATENCY, "p99"),
        ),
    )
    yield Graph(
        "Server errors (5xx) among the responses",
        "percent",
        tuple(
            Line("service" if alarm.name.startswith(api) else "gateway", alarm.watches)
            for alarm in declared
            if isinstance(alarm.watches, Share) and alarm.about == api
        ),
    )


_BEST: Final[dict[str, Statistic]] = {"counter": "Sum", "gauge": "Maximum", "distribution": "p99"}
"""How the kinds of metrics are read where several processes are compared."""


def _each(processes: Iterable[Process], metric: Metric) -> tuple[Line, ...]:
    """A line for each process that measures a metric."""
    statistic = _BEST[metric.kind.value]
    return tuple(
        _line(process.name, process.name, metric, statistic)
        for process in processes
        if metric in process.measured
    )


def _line(label: str, process: str, metric: Metric, statistic: Statistic) -> Line:
    return Line(label, (Series(OwnMetric(metric, process), statistic),))


def _with_threshold(widget: Graph | Alarms, declared: tuple[AlarmSpec, ...]) -> Graph | Alarms:
    """A graph with the lowest threshold of its alarms, where they watch every line and begin above 0."""
    if isinstance(widget, Alarms) or widget.axis == _OPEN:
        return widget
    shown: set[Watched] = set()
    for line in widget.lines:
        shown |= {line.shows} if isinstance(line.shows, Share) else set(line.shows)
    found = [alarm for alarm in declared if alarm.watches in shown and alarm.threshold > 0]
    if {alarm.watches for alarm in found} != shown:
        return widget
    lowest = min(found, key=lambda alarm: alarm.threshold)
    threshold = Threshold("alarm", lowest.threshold * widget.scale)
    return Graph(widget.title, widget.axis, widget.lines, widget.scale, threshold)
