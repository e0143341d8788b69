"""The channel between a worker and its shard processes."""

import datetime as dt
import threading
import time
from collections.abc import Callable

import msgspec

from orderstream import AggregatingMeter
from orderstream_consumer.engines.kcl.channel import ShardEnd, ShardReport, WorkerEnd
from orderstream_consumer.processing.metrics import HANDLED, PROCESS_RECORDS_TIME
from orderstream_consumer.processing.progress import ShardProgress, Waiting
from orderstream_consumer.processing.record import Position


def report_of(shard: int, handled: int) -> ShardReport:
    progress = ShardProgress(
        shard_id=f"shardId-{shard:012}",
        state="PROCESSING",
        checkpoint=Position(7, shard),
        state_since=dt.datetime(2010, 12, 1, tzinfo=dt.UTC),
        checkpoint_at=dt.datetime(2010, 12, 1, tzinfo=dt.UTC),
        waiting=Waiting(dt.datetime(2010, 12, 1, tzinfo=dt.UTC), dt.datetime(2010, 12, 1, tzinfo=dt.UTC)),
        failure="down",
    )
    return ShardReport(progress, {"handled": handled})


def eventually(holds: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + 10, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        pause.wait(0.01)


def test_worker_hears_of_every_shard() -> None:
    """Progress and counters of all shard processes come together at the worker."""
    with WorkerEnd() as worker_end:
        shard_ends = [
            ShardEnd(str(worker_end.path), threading.Event(), orphaned=lambda: None) for _ in range(2)
        ]
        for shard, shard_end in enumerate(shard_ends):
            shard_end.report(report_of(shard, 1))
            shard_end.report(report_of(shard, 5 + shard))
        eventually(lambda: worker_end.counters() == {"handled": 11})
        assert [progress.checkpoint for progress in worker_end.progress()] == [Position(7, 0), Position(7, 1)]
        for shard_end in shard_ends:
            shard_end.close()


def test_what_an_ended_process_counted_stays_counted() -> None:
    """A shard that moves away leaves the progress, and its counts stay in the sum."""
    with WorkerEnd() as worker_end:
        shard_end = ShardEnd(str(worker_end.path), threading.Event(), orphaned=lambda: None)
        shard_end.report(report_of(0, 3))
        shard_end.close()
        eventually(lambda: worker_end.counters() == {"handled": 3} and worker_end.progress() == ())


def test_what_shard_processes_measured_reaches_the_workers_meter() -> None:
    """Each telling has what was measured since the last one, the last telling before the end included."""
    worker, shard = AggregatingMeter({"Application": "saga"}), AggregatingMeter()
    with WorkerEnd(worker.absorb) as worker_end:
        shard_end = ShardEnd(str(worker_end.path), threading.Event(), orphaned=lambda: None)
        for _ in range(2):
            shard.record(HANDLED, 2)
            shard.record(PROCESS_RECORDS_TIME, 250)
            shard_end.report(msgspec.structs.replace(report_of(0, 1), metrics=shard.collect()))
        shard_end.close()
        eventually(lambda: worker_end.progress() == ())
    collected = worker.collect()
    points = {point.metric: point for point in collected.points}
    assert points[HANDLED].total == 4
    distribution = points[PROCESS_RECORDS_TIME].distribution
    assert distribution is not None
    assert (distribution.count, distribution.values(2)) == (2, [250, 250])
    assert collected.dimensions == {"Application": "saga"}


def test_draining_reaches_all_and_those_to_come() -> None:
    """Once the worker drains, running shard processes stop, and one that starts late does too."""
    with WorkerEnd() as worker_end:
        early, late = threading.Event(), threading.Event()
        shard_ends = [ShardEnd(str(worker_end.path), early, orphaned=lambda: None)]
        shard_ends[0].report(report_of(0, 0))
        eventually(lambda: len(worker_end.progress()) == 1)
        worker_end.drain()
        assert early.wait(10)
        shard_ends.append(ShardEnd(str(worker_end.path), late, orphaned=lambda: None))
        assert late.wait(10)
        for shard_end in shard_ends:
            shard_end.close()


def test_orphan_ends() -> None:
    """A shard process whose worker has ended is told so: it must not go on without one."""
    orphaned = threading.Event()
    with WorkerEnd() as worker_end:
        shard_end = ShardEnd(str(worker_end.path), threading.Event(), orphaned=orphaned.set)
        shard_end.report(report_of(0, 0))
        eventually(lambda: len(worker_end.progress()) == 1)
    assert orphaned.wait(10)
    shard_end.report(report_of(0, 1))
    shard_end.close()


def test_closing_is_not_being_orphaned() -> None:
    """A shard process that ends by itself ends in peace."""
    orphaned = threading.Event()
    with WorkerEnd() as worker_end:
        ShardEnd(str(worker_end.path), threading.Event(), orphaned=orphaned.set).close()
    assert not orphaned.is_set()
