"""Workers with real threads over a stream and leases in memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest

from fakes.engine_kinesis import SmallKinesis
from fakes.engine_processor import FaultyLeaseTable, Journal, JournalProcessor
from orderstream.aggregation import MAX_HASH_KEY, UserRecord
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.leases import LeaseTable
from orderstream_consumer.engines.embedded.worker import Worker
from orderstream_consumer.processing.errors import ShardGivenUpError
from orderstream_consumer.processing.processor import ProcessorFactory, ProcessRecordsInput
from orderstream_consumer.testing import MemoryLeaseTable

QUICK = EngineConfig(
    failover_time=1.5,
    idle_between_reads=0.05,
    min_between_reads=0.02,
    idle_call_interval=0.2,
    parent_poll_interval=0.05,
    retry_pause=0.05,
    shutdown_timeout=10,
)


def journalled(journal: Journal) -> ProcessorFactory:
    return lambda shard_id, stop: JournalProcessor(journal, shard_id, stop)


@contextmanager
def running(
    kinesis: SmallKinesis,
    table: LeaseTable,
    processors: ProcessorFactory,
    config: EngineConfig = QUICK,
) -> Iterator[Worker]:
    worker = Worker(
        "app",
        "orders",
        kinesis=kinesis,
        leases=table,
        processors=processors,
        config=config,
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.request_shutdown()
        thread.join(20)
        assert not thread.is_alive()


def test_a_worker_delivers_checkpoints_and_drains() -> None:
    """All records are handed over once, and after a drain the leases are free and checkpointed at the end."""
    kinesis, table, journal = SmallKinesis(shards=2), MemoryLeaseTable(), Journal()
    payloads = [f"r{number}".encode() for number in range(50)]
    for payload in payloads:
        kinesis.put(payload.decode(), payload)
    with running(kinesis, table, journalled(journal)) as worker:
        journal.wait_until(lambda: len(journal.records) == 50)
        assert {progress.state for progress in worker.progress()} <= {"PROCESSING"}
    assert sorted(journal.payloads()) == sorted(payloads)
    for lease in table.list_leases():
        last = kinesis.shards[lease.lease_key].records[-1]["SequenceNumber"]
        assert lease.lease_owner is None
        assert lease.position is not None
        assert str(lease.position.sequence_number) == last
    assert [call for _, call in journal.calls].count("shutdown_requested") == 2


def test_a_worker_has_started_once_it_has_seen_shards_and_leases() -> None:
    """While the lease table is away it looks again and again, and says that it has not started."""
    kinesis, table, journal = SmallKinesis(), FaultyLeaseTable(), Journal()
    kinesis.put("a", b"1")
    back, looks, looked_again = threading.Event(), count(1), threading.Event()

    def is_down() -> bool:
        if next(looks) == 3:
            looked_again.set()
        return not back.is_set()

    table.is_down = is_down
    with running(kinesis, table, journalled(journal)) as worker:
        assert looked_again.wait(20)
        assert not worker.started
        back.set()
        journal.wait_until(lambda: journal.payloads() == [b"1"])
        assert worker.started


@pytest.mark.parametrize("error", [SystemExit(3), ShardGivenUpError("s", "it cannot go on")])
def test_a_call_that_is_ended_by_force_gives_the_shard_up(error: BaseException) -> None:
    """The shard is released, and whoever takes it next, here the same worker, begins where it stood.

    A processor that checkpoints at the shutdown all that it was handed passes no record of the broken call.
    """
    kinesis, table, journal = SmallKinesis(), MemoryLeaseTable(), Journal()
    kinesis.put("a", b"1")
    ends = iter([error])

    class Ending(JournalProcessor):
        def process_records(self, batch: ProcessRecordsInput) -> None:
            for end in ends if batch.records else ():
                raise end
            super().process_records(batch)

    with running(kinesis, table, lambda shard_id, stop: Ending(journal, shard_id, stop)) as worker:
        journal.wait_until(lambda: journal.payloads() == [b"1"])
        assert list(worker.given_up) == ["shardId-000000000000"]
    calls = [call for _, call in journal.calls]
    assert calls.count("initialize") == 2
    assert calls.index("shutdown_requested") < calls.index("process_records")


def test_the_next_worker_goes_on_where_the_last_stopped() -> None:
    """A restart hands over only what came after the checkpoint."""
    kinesis, table, journal = SmallKinesis(), MemoryLeaseTable(), Journal()
    kinesis.put("a", b"1")
    with running(kinesis, table, journalled(journal)):
        journal.wait_until(lambda: journal.payloads() == [b"1"])
    kinesis.put("a", b"2")
    with running(kinesis, table, journalled(journal)):
        journal.wait_until(lambda: journal.payloads() == [b"1", b"2"])


def test_latest_loses_nothing_with_a_worker_that_did_not_checkpoint() -> None:
    """What the first worker saw and left undone is handed to the next one; what came before it is not."""
    kinesis, table, journal = SmallKinesis(), MemoryLeaseTable(), Journal()
    kinesis.put("a", b"before")
    config = replace(QUICK, initial_position="LATEST")

    class Leaves(JournalProcessor):
        def process_records(self, batch: ProcessRecordsInput) -> None:
            journal.note("", "process_records", tuple(batch.records))

        def shutdown_requested(self, checkpointer: object) -> None:
            journal.note("", "shutdown_requested")

    with running(kinesis, table, lambda shard_id, stop: Leaves(journal, shard_id, stop), config):
        journal.wait_until(lambda: "process_records" in [call for _, call in journal.calls])
        kinesis.put("a", b"1")
        journal.wait_until(lambda: journal.payloads() == [b"1"])
    kinesis.put("a", b"2")
    with running(kinesis, table, journalled(journal), config):
        journal.wait_until(lambda: journal.payloads() == [b"1", b"1", b"2"])


def test_children_begin_when_their_parents_have_ended() -> None:
    """Through a split and a merge each key keeps its order, and the ended leases name their children."""
    kinesis, table, journal = SmallKinesis(), MemoryLeaseTable(), Journal()
    kinesis.put("a", b"1")
    kinesis.split("shardId-000000000000")
    kinesis.put("a", b"2")
    kinesis.merge("shardId-000000000001", "shardId-000000000002")
    kinesis.put("a", b"3")
    with running(kinesis, table, journalled(journal)):
        journal.wait_until(lambda: len(journal.records) == 3)
    assert journal.payloads() == [b"1", b"2", b"3"]
    leases = {lease.lease_key[-1]: lease for lease in table.list_leases()}
    assert [leases[key].has_ended for key in "0123"] == [True, True, True, False]
    assert {key[-1] for key in leases["0"].child_shard_ids} == {"1", "2"}
    assert {key[-1] for key in leases["3"].parent_shard_ids} == {"1", "2"}


def test_a_shard_that_seems_to_end_loses_nothing() -> None:
    """A response without a next iterator, then records, then the true end: all is delivered in order."""
    kinesis, table, journal = SmallKinesis(), MemoryLeaseTable(), Journal()
    kinesis.put("a", b"1")
    kinesis.spurious_ends = 1
    with running(kinesis, table, journalled(journal)):
        journal.wait_until(lambda: journal.payloads() == [b"1"])
        kinesis.put("a", b"2")
        kinesis.split("shardId-000000000000")
        kinesis.put("a", b"3")
        journal.wait_until(lambda: len(journal.records) == 3)
    assert journal.payloads() == [b"1", b"2", b"3"]


def test_workers_share_the_shards_and_take_over() -> None:
    """Two workers share four shards evenly; when one leaves, the other gets its shards."""
    kinesis, table, journal = SmallKinesis(shards=4), MemoryLeaseTable(), Journal()
    with running(kinesis, table, journalled(journal)) as stays:
        journal.wait_until(lambda: len({shard for shard, _ in journal.calls}) == 4)
        with running(kinesis, table, journalled(journal)) as leaves:
            journal.wait_until(lambda: len(stays.progress()) == 2 == len(leaves.progress()))
        for number in range(40):
            kinesis.put(str(number), b"%d" % number)
        journal.wait_until(lambda: len({record.data for record in journal.records}) == 40)
        journal.wait_until(lambda: len(stays.progress()) == 4)


def test_a_checkpoint_inside_an_aggregate_resumes_inside_it() -> None:
    """The user records before the checkpoint are not handed over again, those after it are."""
    kinesis, table, journal = SmallKinesis(), MemoryLeaseTable(), Journal()
    kinesis.put("x", encode_aggregate(UserRecord("k", b"%d" % number) for number in range(4)))

    class Halfway(JournalProcessor):
        def process_records(self, batch: ProcessRecordsInput) -> None:
            if batch.records:
                batch.checkpointer.checkpoint(batch.records[1].position)
            journal.note(batch.records[0].shard_id if batch.records else "", "process_records")

        def shutdown_requested(self, checkpointer: object) -> None:
            journal.note("", "shutdown_requested")

    with running(kinesis, table, lambda shard_id, stop: Halfway(journal, shard_id, stop)):
        journal.wait_until(lambda: table.list_leases() != [] and table.list_leases()[0].position is not None)
    with running(kinesis, table, journalled(journal)):
        journal.wait_until(lambda: len(journal.records) == 2)
    assert journal.payloads() == [b"2", b"3"]


def test_wrong_shard_aggregates_are_discarded_or_delivered() -> None:
    """An aggregate with one user record of another shard is dropped whole, unless told otherwise."""
    wrong_shard = encode_aggregate([UserRecord("in", b"in", 0), UserRecord("out", b"out", MAX_HASH_KEY)])
    for choice, expected in (("discard", [b"plain"]), ("deliver", [b"in", b"out", b"plain"])):
        kinesis, journal = SmallKinesis(shards=2), Journal()
        kinesis.put("x", wrong_shard, explicit_hash_key=0)
        kinesis.put("y", b"plain", explicit_hash_key=0)
        config = EngineConfig(
            failover_time=1.5, idle_between_reads=0.05, wrong_shard_aggregates=choice, idle_call_interval=0.2
        )
        with running(kinesis, MemoryLeaseTable(), journalled(journal), config) as worker:
            journal.wait_until(lambda: b"plain" in journal.payloads())  # noqa: B023 - waited for right here
            discarded = sum(progress.wrong_shard_aggregates for progress in worker.progress())
        assert journal.payloads() == expected
        assert discarded == (choice == "discard")


def test_on_a_stream_that_distributes_records_itself_no_aggregate_is_wrong_shard() -> None:
    """Its records' keys decide nothing; should Kinesis not say at first, nothing is discarded meanwhile."""
    kinesis, journal = SmallKinesis(shards=2), Journal()
    kinesis.distribution = "AUTO"
    kinesis.refuse = ["InternalFailure"]
    aggregate = encode_aggregate([UserRecord("in", b"in", 0), UserRecord("out", b"out", MAX_HASH_KEY)])
    kinesis.put("x", aggregate, explicit_hash_key=0)
    with running(kinesis, MemoryLeaseTable(), journalled(journal)) as worker:
        journal.wait_until(lambda: len(journal.records) == 2)
        assert sum(progress.wrong_shard_aggregates for progress in worker.progress()) == 0
    assert journal.payloads() == [b"in", b"out"]


def test_a_quiet_shard_is_called_without_records() -> None:
    """A processor that acts by time gets its turn without records."""
    kinesis, journal = SmallKinesis(), Journal()
    with running(kinesis, MemoryLeaseTable(), journalled(journal)):
        journal.wait_until(lambda: [call for _, call in journal.calls].count("process_records") >= 3)
    assert journal.records == []


def test_a_processor_that_raises_gets_the_same_batch_again() -> None:
    """Nothing is skipped because of an exception."""
    kinesis, journal = SmallKinesis(), Journal()
    kinesis.put("a", b"1")

    class Stumbles(JournalProcessor):
        stumbled = False

        def process_records(self, batch: ProcessRecordsInput) -> None:
            if batch.records and not self.stumbled:
                self.stumbled = True
                raise RuntimeError("once")
            super().process_records(batch)

    with running(kinesis, MemoryLeaseTable(), lambda shard_id, stop: Stumbles(journal, shard_id, stop)):
        journal.wait_until(lambda: journal.payloads() == [b"1"])


def test_a_worker_cut_off_from_its_leases_stops_and_comes_back() -> None:
    """Without renewals the stop signal is set in time; afterwards the shard goes on from its checkpoint."""
    kinesis, table, journal = SmallKinesis(), FaultyLeaseTable(), Journal()
    kinesis.put("a", b"1")
    with running(kinesis, table, journalled(journal)):
        journal.wait_until(lambda: journal.payloads() == [b"1"])
        down = threading.Event()
        down.set()
        table.is_down = down.is_set
        journal.wait_until(lambda: journal.calls[-1][1] == "lease_lost")
        kinesis.put("a", b"2")
        down.clear()
        journal.wait_until(lambda: journal.payloads() == [b"1", b"2"])


def test_a_shutdown_ends_a_long_call_through_its_stop_signal() -> None:
    """A processor that waits on its stop signal comes back at once when the worker drains."""
    kinesis, table, journal = SmallKinesis(), MemoryLeaseTable(), Journal()
    kinesis.put("a", b"1")

    class Waits(JournalProcessor):
        def process_records(self, batch: ProcessRecordsInput) -> None:
            if batch.records:
                journal.note("", "waiting", tuple(batch.records))
                assert self.stop.wait(15)

        def shutdown_requested(self, checkpointer: object) -> None:
            journal.note("", "shutdown_requested")

    with running(kinesis, table, lambda shard_id, stop: Waits(journal, shard_id, stop)):
        journal.wait_until(lambda: journal.payloads() == [b"1"])
    assert journal.calls[-1][1] == "shutdown_requested"
    assert table.list_leases()[0].checkpoint == "TRIM_HORIZON"
    assert table.list_leases()[0].lease_owner is None
