"""An application reads the stream that its leases belong to, and no other."""

import pytest

from fakes.shard import SimulatedStop
from orderstream.errors import DependencyError
from orderstream.testing import FakeKinesis
from orderstream_consumer.engines.embedded.leases import Lease, commit
from orderstream_consumer.engines.stream_identity import (
    ConsumedStream,
    KeysUnorderedError,
    StreamChangedError,
    StreamIdentity,
    StreamInUseError,
)
from orderstream_consumer.processing.errors import StreamGoneError
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import Fault, MemoryLeaseTable, MemoryStore

EXPIRY = 6.0


class Stage:
    """One application over a stream that may be deleted and made again."""

    def __init__(self, gone_timeout: float = 0.0) -> None:
        self.now = 1_800_000_000.0
        self.kinesis = FakeKinesis(clock=lambda: self.now)
        self.client = self.kinesis.client()
        self.client.create_stream(StreamName="orders", ShardCount=1)
        self.store, self.leases, self.stop = MemoryStore(), MemoryLeaseTable(), SimulatedStop()
        self.gone_timeout = gone_timeout

    def worker(self) -> ConsumedStream:
        return ConsumedStream(
            self.store,
            "inventory",
            lambda: StreamIdentity.of(self.client, "orders"),  # type: ignore[arg-type]
            expiry=EXPIRY,
            gone_timeout=self.gone_timeout,
            clock=self.stop.clock,
        )

    def make_anew(self) -> None:
        self.client.delete_stream(StreamName="orders")
        self.now += 3_600
        self.client.create_stream(StreamName="orders", ShardCount=1)


def test_a_restart_finds_its_stream() -> None:
    """The first worker notes the stream, and the next ones find the same."""
    stage = Stage()
    assert stage.worker().confirm(stage.stop)
    assert stage.worker().confirm(stage.stop)
    assert stage.stop.now == 0


def test_a_stream_made_anew_is_refused() -> None:
    """Neither at the start nor under way is anything read of it, and the error says what to do."""
    stage = Stage()
    running = stage.worker()
    running.confirm(stage.stop)
    stage.make_anew()
    with pytest.raises(StreamChangedError, match="--adopt-new-stream") as caught:
        stage.worker().confirm(stage.stop)
    assert caught.value.kept.arn == caught.value.found.arn
    assert caught.value.kept.created_at < caught.value.found.created_at
    with pytest.raises(StreamChangedError):
        running.watch(stage.stop)


def test_the_new_stream_is_adopted_without_the_old_leases() -> None:
    """Then the application begins anew, at its initial position."""
    stage = Stage()
    stage.worker().confirm(stage.stop)
    stage.leases.create_if_absent(Lease(lease_key="shardId-000000000000", checkpoint="SHARD_END"))
    stage.leases.create_if_absent(Lease(lease_key="shardId-000000000001", checkpoint=Position(7)))
    stage.make_anew()
    assert stage.worker().adopt(stage.leases, stage.stop)
    assert stage.leases.list_leases() == []
    assert stage.worker().confirm(stage.stop)
    kept = Lease(lease_key="shardId-000000000000")
    stage.leases.create_if_absent(kept)
    assert stage.worker().adopt(stage.leases, stage.stop)
    assert stage.leases.list_leases() == [kept]


def test_leases_of_nobody_knows_which_stream_are_deleted_with_the_flag() -> None:
    """A version before this one noted no stream; a person says that its leases are a former one's."""
    stage = Stage()
    stage.leases.create_if_absent(Lease(lease_key="shardId-000000000000", checkpoint="SHARD_END"))
    assert stage.worker().adopt(stage.leases, stage.stop)
    assert stage.leases.list_leases() == []
    assert stage.worker().confirm(stage.stop)


def test_an_adoption_that_breaks_off_is_not_taken_for_done() -> None:
    """Half of the former leases are left: until the adoption is repeated nothing is read."""

    class BreaksOff(MemoryLeaseTable):
        def delete(self, lease: Lease) -> bool:
            raise DependencyError("dynamodb", "DeleteItem", "no response")

    stage = Stage()
    stage.leases = BreaksOff()
    stage.leases.create_if_absent(Lease(lease_key="s", checkpoint=Position(7)))
    with pytest.raises(DependencyError):
        stage.worker().adopt(stage.leases, stage.stop)
    with pytest.raises(StreamChangedError, match="a former stream"):
        stage.worker().confirm(stage.stop)


def test_the_first_start_may_have_the_flag() -> None:
    """There is nothing to delete, and the stream is noted as ever."""
    stage = Stage()
    assert stage.worker().adopt(stage.leases, stage.stop)
    assert stage.worker().confirm(stage.stop)
    assert stage.stop.now == 0


def test_of_two_that_adopt_the_second_deletes_nothing() -> None:
    """What the first one has begun with meanwhile is the new stream's."""
    stage = Stage()
    stage.leases.create_if_absent(Lease(lease_key="s", lease_owner="dead"))
    fresh = Lease(lease_key="s", checkpoint="TRIM_HORIZON")

    class QuickerOne(SimulatedStop):
        def wait(self, timeout: float | None = None) -> bool:
            assert stage.worker().adopt(stage.leases, stage.stop)
            stage.leases.create_if_absent(fresh)
            return super().wait(timeout)

    assert stage.worker().adopt(stage.leases, QuickerOne())
    assert stage.leases.list_leases() == [fresh]


class BusyStop(SimulatedStop):
    """While one worker waits, another one renews its lease."""

    def __init__(self, leases: MemoryLeaseTable, lease: Lease) -> None:
        super().__init__()
        self._leases, self._lease = leases, lease

    def wait(self, timeout: float | None = None) -> bool:
        self._lease = commit(self._leases, self._lease, Lease.renewed)
        return super().wait(timeout)


def test_leases_that_are_renewed_are_not_deleted() -> None:
    """A worker that still runs would write them again."""
    stage = Stage()
    stage.worker().confirm(stage.stop)
    lease = Lease(lease_key="s", lease_owner="inventory:1")
    stage.leases.create_if_absent(lease)
    stage.make_anew()
    with pytest.raises(StreamInUseError, match="inventory:1"):
        stage.worker().adopt(stage.leases, BusyStop(stage.leases, lease))
    assert len(stage.leases.list_leases()) == 1
    with pytest.raises(StreamChangedError):
        stage.worker().confirm(stage.stop)


def test_a_lease_that_is_let_go_of_meanwhile_is_deleted_too() -> None:
    """A worker that finds out by itself that the stream has changed releases what it holds."""
    stage = Stage()
    stage.worker().confirm(stage.stop)
    lease = Lease(lease_key="s", lease_owner="inventory:1", checkpoint="SHARD_END")
    stage.leases.create_if_absent(lease)
    stage.make_anew()

    class Releases(SimulatedStop):
        def wait(self, timeout: float | None = None) -> bool:
            commit(stage.leases, lease, Lease.released)
            return super().wait(timeout)

    assert stage.worker().adopt(stage.leases, Releases())
    assert stage.leases.list_leases() == []


def test_a_lease_that_is_written_while_it_is_deleted_is_not_left_to_the_new_stream() -> None:
    """Its checkpoint means nothing there, so the former stream stays the one that is noted."""

    class TakenMeanwhile(MemoryLeaseTable):
        def delete(self, lease: Lease) -> bool:
            commit(self, lease, lambda held: held.taken_by("inventory:2"))
            return super().delete(lease)

    stage = Stage()
    stage.leases = TakenMeanwhile()
    stage.worker().confirm(stage.stop)
    stage.leases.create_if_absent(Lease(lease_key="s", checkpoint="SHARD_END"))
    stage.make_anew()
    with pytest.raises(StreamInUseError, match="has just written"):
        stage.worker().adopt(stage.leases, stage.stop)
    with pytest.raises(StreamChangedError):
        stage.worker().confirm(stage.stop)


def test_leases_of_dead_workers_are_deleted_after_the_expiry() -> None:
    """Nobody renewed them while we looked."""
    stage = Stage()
    stage.worker().confirm(stage.stop)
    stage.leases.create_if_absent(Lease(lease_key="s", lease_owner="inventory:1"))
    stage.make_anew()
    assert stage.worker().adopt(stage.leases, stage.stop)
    assert stage.stop.now == EXPIRY
    assert stage.leases.list_leases() == []


def test_two_workers_that_begin_together_note_the_same_stream() -> None:
    """One of them notes it; the other one finds it noted."""
    stage = Stage()
    faults = iter([None, Fault.CONFLICT, None, Fault.AFTER])
    stage.store = MemoryStore(lambda operation, writes: next(faults, None))
    assert stage.worker().confirm(stage.stop)
    assert stage.worker().confirm(stage.stop)


def test_a_stream_that_is_gone_is_waited_for() -> None:
    """For good without a time-out; with one the worker ends, and says why."""
    stage = Stage()
    stage.client.delete_stream(StreamName="orders")
    stage.stop = SimulatedStop(after_waits=1_000)
    worker = stage.worker()
    assert not worker.confirm(stage.stop)
    assert "does not exist" in str(worker.trouble)
    stage = Stage(gone_timeout=300)
    stage.worker().confirm(stage.stop)
    stage.client.delete_stream(StreamName="orders")
    with pytest.raises(StreamGoneError, match="orders does not exist"):
        stage.worker().watch(stage.stop)
    assert 300 <= stage.stop.now <= 400


def test_a_stream_that_distributes_records_itself_is_refused_by_those_who_need_order() -> None:
    """What is parked on one shard would hold back nothing on the others; the error says what to do.

    So it is while they run, for a stream can be changed.
    """
    stage = Stage()
    running = ConsumedStream(
        stage.store,
        "inventory",
        lambda: StreamIdentity.of(stage.client, "orders", ordered=True),  # type: ignore[arg-type]
        expiry=EXPIRY,
        clock=stage.stop.clock,
    )
    assert running.confirm(stage.stop)
    arn = stage.client.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    stage.client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    stage.now += 60
    stage.client.update_stream_record_distribution_strategy(StreamARN=arn, RecordDistributionStrategy="AUTO")
    with pytest.raises(KeysUnorderedError, match="USER_PARTITION_KEY"):
        running.watch(stage.stop)
    assert stage.worker().confirm(stage.stop)


def test_an_outage_is_waited_out() -> None:
    """Of Kinesis or of the store: it says nothing about the stream."""
    stage = Stage()
    responses = iter([DependencyError("kinesis", "DescribeStreamSummary", "down")] * 3)

    def describe() -> StreamIdentity:
        for error in responses:
            raise error
        return StreamIdentity.of(stage.client, "orders")  # type: ignore[arg-type]

    consumed = ConsumedStream(stage.store, "inventory", describe, expiry=EXPIRY, clock=stage.stop.clock)
    assert consumed.confirm(stage.stop)
    assert consumed.trouble is None
    assert stage.stop.now == 6


@pytest.mark.parametrize("summary", [{}, None, [], {"StreamDescriptionSummary": {}}])
def test_a_response_that_says_nothing_is_an_outage(summary: object) -> None:
    """It is asked again."""

    class Says:
        def describe_stream_summary(self, **_: object) -> object:
            return summary

    with pytest.raises(DependencyError):
        StreamIdentity.of(Says(), "orders")  # type: ignore[arg-type]
