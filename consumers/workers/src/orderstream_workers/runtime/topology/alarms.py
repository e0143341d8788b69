"""Every alarm of a pipeline: those that follow from what a process is, and those that it declares itself.

::

    every process                 unhealthy
    every stream application      behind, stuck, breaker-open, retention-half-used, records-expired
      that parks                  parked
    every stream                  write-throttled, read-throttled
    a process's own               Process.alarms, beside its metrics
"""

from collections.abc import Iterator
from typing import Final

from orderstream.observability.metrics.metric import Metric
from orderstream_consumer.processing.metrics import (
    BREAKER_OPEN,
    CHECKPOINT_AGE,
    HEALTHY,
    MILLIS_BEHIND_LATEST,
    PARKED,
    RETENTION_GAPS,
)
from orderstream_workers.runtime.topology.alarm_spec import (
    AlarmSpec,
    AwsMetric,
    Gateway,
    OwnMetric,
    Series,
    Statistic,
)
from orderstream_workers.runtime.topology.metrics import LABELS
from orderstream_workers.runtime.topology.processes import Process, StreamApplication, Topology
from orderstream_workers.runtime.topology.specs import StreamSpec

BEHIND_MILLIS: Final = 5 * 60_000
"""Lag at which an application counts as behind, as in ``orderstream status``."""

STUCK_SECONDS: Final = 10 * 60
"""How long a record may wait without a checkpoint."""


def alarms(topology: Topology) -> tuple[AlarmSpec, ...]:
    """Every alarm of a pipeline, in the order of its processes, then of its streams.

    Args:
        topology: The pipeline.
    """
    return (
        *(alarm for process in topology.processes for alarm in alarms_of(process)),
        *(alarm for stream in topology.of(StreamSpec) for alarm in _of_stream(stream, topology)),
    )


def alarms_of(process: Process) -> tuple[AlarmSpec, ...]:
    """The alarms of one process: those of its kind, then its own.

    Args:
        process: As it is declared.
    """
    return (_unhealthy(process.name), *_of_kind(process), *process.alarms)


def faults_in(topology: Topology) -> Iterator[str]:
    """What is wrong with the alarms of a pipeline, in sentences: names that occur twice, figures nobody has.

    Args:
        topology: The pipeline.
    """
    declared = alarms(topology)
    names = [alarm.name for alarm in declared]
    yield from (f"two alarms are called {name}" for name in sorted(set(names)) if names.count(name) > 1)
    for alarm in declared:
        for series in alarm.series:
            if reason := unmeasured(series, topology):
                yield f"the alarm {alarm.name} can never fire: {reason}"


def unmeasured(series: Series, topology: Topology) -> str | None:
    """Why a series has no values at all; None where something measures it.

    Args:
        series: What is to be watched or shown.
        topology: The pipeline.
    """
    metric = series.metric
    measured = {process.name: process.measured for process in topology.processes}
    if isinstance(metric, AwsMetric):
        there = (
            metric.of.process in {process.name for process in topology.processes if process.serves == "http"}
            if isinstance(metric.of, Gateway)
            else metric.of in topology.resources
        )
        return None if there else f"the pipeline has no {metric.of.name}"
    if metric.process not in measured:
        return f"no process is called {metric.process}"
    if metric.metric not in measured[metric.process]:
        return f"{metric.process} does not measure {metric.name}"
    if metric.metric.detailed:
        return f"{metric.name} is detailed, and is written only where that is asked for"
    if len(metric.labels) != len(metric.metric.dimensions):
        return f"{metric.name} has the dimensions {', '.join(metric.metric.dimensions) or 'of every metric'}"
    for dimension, label in zip(metric.metric.dimensions, metric.labels, strict=True):
        if LABELS[dimension] and label not in LABELS[dimension]:
            return f"{dimension} of {metric.name} is never {label}"
    return None


def _own(process: str, metric: Metric, statistic: Statistic) -> Series:
    return Series(OwnMetric(metric, process), statistic)


def _unhealthy(process: str) -> AlarmSpec:
    return AlarmSpec(
        name=f"{process}-unhealthy",
        about=process,
        says=f"{process} makes no progress or does not run at all: read the last warnings of its log, and "
        "look whether its task starts.",
        runbook="a-process-is-unhealthy-or-gone",
        watches=_own(process, HEALTHY, "Minimum"),
        comparison="LessThanThreshold",
        threshold=1,
        because="it reports 1 every minute; a roll-out, which stops the old task before the new one starts, "
        "leaves two or three minutes out, so five in a row are none",
        datapoints=5,
        periods=5,
        missing="breaching",
    )


def _of_kind(process: Process) -> Iterator[AlarmSpec]:
    if not isinstance(process, StreamApplication):
        return
    name, stream = process.name, process.reads.name
    yield AlarmSpec(
        name=f"{name}-behind",
        about=name,
        says=f"{name} is more than five minutes behind the stream {stream}: see with `orderstream status` "
        "whether its workers run and on which shard they are behind.",
        runbook="an-application-falls-behind",
        watches=_own(name, MILLIS_BEHIND_LATEST, "Maximum"),
        comparison="GreaterThanThreshold",
        threshold=BEHIND_MILLIS,
        because="half of the shortest deadline of a step, 10 minutes, behind which orders are cancelled; a "
        "worker that was killed is caught up within two minutes",
        datapoints=3,
        periods=3,
        missing="ignore",
    )
    yield AlarmSpec(
        name=f"{name}-stuck",
        about=name,
        says=f"records wait for {name} and no checkpoint has moved for ten minutes: look in its log for what "
        "is tried again, or which dependency fails.",
        runbook="a-checkpoint-does-not-move",
        watches=_own(name, CHECKPOINT_AGE, "Maximum"),
        comparison="GreaterThanThreshold",
        threshold=STUCK_SECONDS,
        because="a checkpoint follows its records within seconds; ten minutes are beyond any pause between "
        "tries, and beyond what an outage of a minute leaves behind",
        datapoints=2,
        periods=2,
        missing="ignore",
    )
    yield AlarmSpec(
        name=f"{name}-breaker-open",
        about=name,
        says=f"{name} holds its work back because a dependency fails: the warnings in its log name the "
        "dependency and its response.",
        runbook="a-dependency-fails",
        watches=_own(name, BREAKER_OPEN, "Maximum"),
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        because="a breaker that opens for a moment is how short outages are meant to pass; open in five "
        "minutes in a row it is an outage that a person may have to end",
        datapoints=5,
        periods=5,
    )
    half = process.reads.retention_hours / 2
    yield AlarmSpec(
        name=f"{name}-retention-half-used",
        about=name,
        says=f"{name} is {half:g} hours behind, half of what the stream {stream} keeps: raise the stream's "
        "retention now, then look for the cause.",
        runbook="the-retention-is-being-used-up",
        watches=_own(name, MILLIS_BEHIND_LATEST, "Maximum"),
        comparison="GreaterThanThreshold",
        threshold=half * 3_600_000,
        because=f"what is older than {process.reads.retention_hours} hours is gone; the other half is the "
        "time that is left to repair and to catch up",
        missing="ignore",
    )
    yield AlarmSpec(
        name=f"{name}-records-expired",
        about=name,
        says=f"records of the stream {stream} expired before {name} had read them: its log names the "
        "shard and the positions, by which the archive tells which orders they were.",
        runbook="records-expired-before-they-were-read",
        watches=_own(name, RETENTION_GAPS, "Maximum"),
        comparison="GreaterThanThreshold",
        threshold=0,
        because="one gap is one too many, and the figure is written only where there is one",
    )
    if process.parks:
        yield AlarmSpec(
            name=f"{name}-parked",
            about=name,
            says=f"{name} has parked records, each of which holds an order back until you decide: list them "
            f"with `orderstream dlq list {name}`.",
            runbook="a-record-is-parked",
            watches=_own(name, PARKED, "Maximum"),
            comparison="GreaterThanThreshold",
            threshold=0,
            because="an outage parks nothing: each parked record waits for a person, the first one, too",
            missing="ignore",
        )


def _of_stream(stream: StreamSpec, topology: Topology) -> Iterator[AlarmSpec]:
    def watched(name: str, statistic: Statistic) -> Series:
        return Series(AwsMetric("AWS/Kinesis", name, "Count", stream), statistic)

    yield AlarmSpec(
        name=f"{stream.name}-write-throttled",
        about=f"stream {stream.name}",
        says=f"Kinesis has throttled writes to the stream {stream.name} for five minutes: give it more "
        "shards, or find the key that takes all of one.",
        runbook="kinesis-throttles",
        watches=watched("WriteProvisionedThroughputExceeded", "Sum"),
        comparison="GreaterThanThreshold",
        threshold=0,
        because="a burst is buffered and sent again within a minute; throttled in each of five minutes, the "
        "shards are too few for what comes",
        datapoints=5,
        periods=5,
    )
    if topology.readers(stream):
        yield AlarmSpec(
            name=f"{stream.name}-read-throttled",
            about=f"stream {stream.name}",
            says=f"Kinesis has refused more than half of the reads of the stream {stream.name} for a quarter "
            "of an hour: see which application catches up, and give the stream more shards.",
            runbook="kinesis-throttles",
            watches=watched("ReadProvisionedThroughputExceeded", "Average"),
            comparison="GreaterThanThreshold",
            threshold=0.5,
            because="all applications share five reads a second of a shard, so some are refused whenever "
            "one catches up; more than half of them for so long make all of them slow",
            datapoints=15,
            periods=15,
        )
