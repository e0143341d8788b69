"""What a consumer tells of its shard's progress."""

import datetime as dt
from collections import deque
from random import Random

from orderstream.testing import FakeKinesis, Fault
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.leases import OwnedLease, commit
from orderstream_consumer.engines.embedded.lifecycle.shard_consumer import Job, ShardConsumer
from orderstream_consumer.engines.embedded.lifecycle.shard_lifecycle import Signal
from orderstream_consumer.engines.embedded.lifecycle.syncer import ShardSyncer
from orderstream_consumer.engines.embedded.retrieval import KinesisReader
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_consumer.testing import MemoryLeaseTable

EPOCH = dt.datetime(2010, 12, 1, tzinfo=dt.UTC)


class IdleProcessor:
    """Takes whatever it is handed."""

    def __init__(self, shard_id: str, stop: StopSignal) -> None:
        """Remember nothing."""

    def initialize(self, initialization: InitializationInput) -> None:
        """Be ready."""

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Be done."""

    def lease_lost(self) -> None:
        """Stop."""

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Be done."""

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Be done."""


class Stage:
    """One shard under a clock that is moved from each of its moments to the next."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kinesis = FakeKinesis(clock=self.epoch_seconds)
        client = self.kinesis.client()
        client.create_stream(StreamName="s", ShardCount=1)
        table = MemoryLeaseTable()
        reader = KinesisReader(client, "s", max_records=9, now=self.wall_clock)  # type: ignore[arg-type]
        syncer = ShardSyncer(reader, table, "TRIM_HORIZON")
        syncer.synchronize()
        (lease,) = table.list_leases()
        taken = commit(table, lease, lambda held: held.taken_by("me"))
        self.consumer = ShardConsumer(
            OwnedLease(table, taken, written_at=0.0, failover_time=1e6, clock=lambda: self.now),
            processors=IdleProcessor,
            reader=reader,
            syncer=syncer,
            config=EngineConfig(),
            clock=lambda: self.now,
            wall_clock=self.wall_clock,
            random=Random(1),
        )

    def wall_clock(self) -> dt.datetime:
        return EPOCH + dt.timedelta(seconds=self.now)

    def epoch_seconds(self) -> float:
        return self.wall_clock().timestamp()

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        jobs: deque[Job] = deque(self.consumer.on(Signal.WOKEN, self.now))
        while True:
            while jobs:
                jobs.extend(self.consumer.on(jobs.popleft().run(), self.now))
            if self.consumer.wake_at > end:
                self.now = end
                return
            self.now = max(self.now, self.consumer.wake_at)
            jobs.extend(self.consumer.on(Signal.WOKEN, self.now))

    def seconds_since_read(self) -> float:
        last = self.consumer.progress().last_read
        assert last is not None
        return (self.wall_clock() - last).total_seconds()


def test_a_shard_that_cannot_be_read_stands_still() -> None:
    """The processor is still called now and then, without records; that is no progress."""
    stage = Stage()
    stage.run(30)
    assert stage.seconds_since_read() < 5
    assert stage.consumer.progress().failure is None
    stage.kinesis.faults.add(Fault(operation="GetRecords", error="InternalFailure", times=None))
    stage.run(600)
    assert stage.seconds_since_read() > 590
    assert stage.consumer.progress().failure == "Kinesis gives no records: unreachable"
    stage.kinesis.faults.clear()
    stage.run(30)
    assert stage.seconds_since_read() < 5
    assert stage.consumer.progress().failure is None


def test_records_that_are_read_and_not_handled_are_told() -> None:
    """Reading goes on ahead of a processor that checkpoints nothing: the oldest record stays the measure."""
    stage = Stage()
    client = stage.kinesis.client()
    stage.run(10)
    assert stage.consumer.progress().waiting is None
    arrived = stage.wall_clock()
    client.put_record(StreamName="s", PartitionKey="k", Data=b"1")
    stage.run(300)
    progress = stage.consumer.progress()
    assert progress.read_lag_millis == 0
    assert progress.checkpoint_at is None
    assert progress.waiting is not None
    assert progress.waiting.arrived_at == arrived
    assert stage.wall_clock() - progress.waiting.read_at > dt.timedelta(seconds=290)


def test_the_time_of_a_state_is_told() -> None:
    """A shard that does not leave a state that should be short is noticed by how long it is in it."""
    stage = Stage()
    stage.run(30)
    progress = stage.consumer.progress()
    assert (progress.state, progress.state_since) == ("PROCESSING", EPOCH)
