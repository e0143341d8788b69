"""What a consumer measures: delivery, the engine, and how it stands."""

import datetime as dt

from fakes.metrics import Recorded
from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.health import WorkerStanding, measure_report, worker_report
from orderstream_consumer.health.watch import Figure
from orderstream_consumer.processing.measured import measured
from orderstream_consumer.processing.metrics import CONSUMER_METRICS, TALLIED
from orderstream_consumer.processing.processor import ProcessRecordsInput
from orderstream_consumer.processing.progress import ShardProgress, Waiting
from orderstream_consumer.processing.record import DeliveredRecord, Position

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def ago(seconds: float) -> dt.datetime:
    return NOW - dt.timedelta(seconds=seconds)


def shard(name: str = "shardId-0", **about: object) -> ShardProgress:
    usual: dict[str, object] = {"state_since": ago(500), "last_read": ago(1), "read_lag_millis": 0}
    usual |= about
    return ShardProgress(shard_id=name, state="PROCESSING", checkpoint=Position(1, 0), **usual)  # type: ignore[arg-type]


def stood(*shards: ShardProgress, parked: int | None = 0) -> Recorded:
    meter = Recorded()
    report = worker_report(
        "saga",
        "orders",
        "saga:1",
        standing=WorkerStanding(begun_at=ago(600), claimed=True, started=True, stopping=False),
        progress=shards,
        dependencies=(),
        counters={"parked": 99},
        figures={},
        now=NOW,
    )
    measure_report(report, {"parked": Figure(parked, None, NOW)}, meter)
    return meter


def waiting(arrived: float) -> Waiting:
    return Waiting(ago(arrived), ago(arrived))


def test_how_a_worker_stands_is_measured_on_its_worst_shard() -> None:
    """Lag and age of the checkpoint are those of the shard that is furthest behind."""
    meter = stood(
        shard(),
        shard("shardId-1", waiting=waiting(40), checkpoint_at=ago(25)),
        shard("shardId-2", waiting=waiting(5), checkpoint_at=ago(300)),
        parked=3,
    )
    assert meter.values["MillisBehindLatest",] == [40_000]
    assert meter.values["CheckpointAge",] == [25]
    assert meter.values["CurrentLeases",] == [3]
    assert meter.values["Healthy",] == [1]
    assert meter.values["Parked",] == [3]


def test_an_idle_shard_has_no_old_checkpoint() -> None:
    """Its checkpoint has not moved for hours since nothing came."""
    assert stood(shard(checkpoint_at=ago(7_200))).values["CheckpointAge",] == [0]


def test_what_is_unknown_is_not_measured() -> None:
    """A lag of a shard that could not be read, and a figure whose store is away, are no zeros."""
    meter = stood(shard(last_read=None, read_lag_millis=None), parked=None)
    assert ("MillisBehindLatest",) not in meter.values
    assert ("Parked",) not in meter.values


def test_a_worker_that_lost_its_shards_does_not_know_what_waits() -> None:
    """A table that is away takes the leases with it: an age of 0 would end the alarm while nothing moves."""
    assert ("CheckpointAge",) not in stood().values
    unread = shard(last_read=ago(200))
    assert ("CheckpointAge",) not in stood(unread).values
    assert ("CheckpointAge",) not in stood(unread, shard("shardId-1")).values
    stuck = shard("shardId-1", waiting=waiting(700), checkpoint_at=ago(700))
    assert stood(unread, stuck).values["CheckpointAge",] == [700]


def test_a_stalled_worker_is_not_healthy() -> None:
    """The same verdict as that of /health."""
    assert stood(shard(waiting=waiting(200))).values["Healthy",] == [0]


def test_what_delivery_counts_is_measured_by_name() -> None:
    """Names that are no metrics count for /health alone."""
    meter = Recorded()
    tally = DeliveryTally(meter=meter)
    for name in TALLIED:
        tally.count(name)
    tally.retried("kinesis is away")
    tally.count("something of a service's own")
    assert {name: meter.sum(name) for (name,) in meter.values} == {
        metric.name: 2 if name == "retried" else 1 for name, metric in TALLIED.items()
    }
    assert tally.figures()["retried"] == 2


def test_a_breaker_is_open_from_the_first_failure_to_the_next_success() -> None:
    """The probe in between changes nothing: it is not known yet how it ends."""
    breaker = Breaker()
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open
    breaker.succeeded()
    assert not breaker.is_open


class _Processor:
    def process_records(self, batch: ProcessRecordsInput) -> None:
        if not batch.records:
            raise ZeroDivisionError


def test_a_processor_is_measured_from_outside() -> None:
    """Records, bytes and time of each call that has records."""
    meter, times = Recorded(), iter([1.0, 1.25])
    processor = measured(lambda *_: _Processor(), meter, lambda: next(times))("shardId-0", None)  # type: ignore[arg-type, return-value]
    record = DeliveredRecord("shardId-0", Position(1, 0), "key", b"12345", NOW)
    processor.process_records(ProcessRecordsInput([record, record], None, 0))  # type: ignore[arg-type]
    assert meter.values["RecordProcessor.processRecords.Time",] == [250]
    assert meter.sum("RecordsProcessed") == 2
    assert meter.sum("DataBytesProcessed") == 10


def test_what_is_declared_has_one_name_each() -> None:
    """The declarations are what alarms, tables and the bill are made of."""
    names = [metric.name for metric in CONSUMER_METRICS]
    assert len(names) == len(set(names))
