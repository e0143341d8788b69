"""The processor wrapper: outages are waited for, failing records are parked, nothing is passed undone."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fakes.engine import ARRIVAL, RecordingCheckpointer, record_of
from fakes.passing_time import PassingTime
from orderstream.errors import DependencyError
from orderstream_consumer.delivery import (
    PARKING,
    Breaker,
    DeliveryConfig,
    DeliveryTally,
    LaneProcessor,
    StoredParking,
)
from orderstream_consumer.processing.errors import LeaseLostError
from orderstream_consumer.processing.processor import InitializationInput, ProcessRecordsInput
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import ContentionError, Write
from orderstream_consumer.testing import Fault, MemoryStore

OUTAGE = DependencyError("dynamodb", "GetItem", "down")


class ScriptedHandler:
    """Remembers what it handled; asks a script first, which may raise."""

    def __init__(self, script: Callable[[DeliveredRecord], None] = lambda _: None) -> None:
        self.handled: list[bytes] = []
        self._script = script

    def handle(self, record: DeliveredRecord) -> None:
        self._script(record)
        self.handled.append(record.data)


class Rig:
    """One shard's processor with everything in memory."""

    def __init__(self, handler: ScriptedHandler, store: MemoryStore, executor: ThreadPoolExecutor) -> None:
        self.parking = StoredParking(store, "it", lambda: ARRIVAL)
        self.stop = PassingTime()
        self.tally = DeliveryTally()
        self.breaker = Breaker(self.stop.clock)
        self.checkpointer = RecordingCheckpointer()
        self.processor = LaneProcessor(
            handler=handler,
            parking=self.parking,
            executor=executor,
            breaker=self.breaker,
            tally=self.tally,
            stop=self.stop,
            config=DeliveryConfig(),
        )
        self.processor.initialize(InitializationInput("shardId-000000000000", None))

    def process(self, records: Sequence[DeliveredRecord]) -> None:
        self.processor.process_records(ProcessRecordsInput(records, self.checkpointer, 0))


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """Threads for the lanes."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_a_batch_is_done_and_checkpointed(executor: ThreadPoolExecutor) -> None:
    """When the call returns every record was handled, one key in order, and the end is checkpointed."""
    handler = ScriptedHandler()
    rig = Rig(handler, MemoryStore(), executor)
    rig.process([record_of(key, n) for n, key in enumerate("abacab", start=1)])
    assert [data for data in handler.handled if data.startswith(b"a")] == [b"a1", b"a3", b"a5"]
    assert len(handler.handled) == 6
    assert rig.checkpointer.positions[-1] == Position(6)


def test_an_outage_parks_nothing(executor: ThreadPoolExecutor) -> None:
    """A dependency that fails a hundred times is asked again until it is back; the record is not to blame."""
    failures = iter([OUTAGE] * 100)

    def fail(_: DeliveredRecord) -> None:
        for failure in failures:
            raise failure

    handler = ScriptedHandler(fail)
    rig = Rig(handler, MemoryStore(), executor)
    rig.process([record_of("a", 1), record_of("a", 2)])
    assert handler.handled == [b"a1", b"a2"]
    assert rig.parking.count() == 0
    assert rig.tally.figures()["retried"] == 100


def test_a_hot_item_holds_up_its_own_lane_alone(executor: ThreadPoolExecutor) -> None:
    """Contention is waited for, longer each time; the breaker stays closed: nobody else pauses for it."""
    failures = iter([ContentionError("TransactWriteItems")] * 3)

    def fail(_: DeliveredRecord) -> None:
        for failure in failures:
            raise failure

    handler = ScriptedHandler(fail)
    rig = Rig(handler, MemoryStore(), executor)
    rig.process([record_of("a", 1)])
    assert handler.handled == [b"a1"]
    assert rig.breaker.pause() == 0.0
    assert 0.1 + 0.2 + 0.4 <= rig.stop.now <= 0.2 + 0.4 + 0.8


def failing(_: DeliveredRecord) -> None:
    raise ValueError("broken")


def test_nothing_is_parked_once_the_shard_is_somebody_elses(executor: ThreadPoolExecutor) -> None:
    """A successor may have carried the record out: parking proves the lease first, or parks nothing."""
    rig = Rig(ScriptedHandler(failing), MemoryStore(), executor)
    rig.checkpointer.lost = LeaseLostError("shardId-000000000000", "taken by another worker")
    rig.process([record_of("a", 1), record_of("a", 2)])
    assert rig.parking.count() == 0
    assert rig.checkpointer.positions == []
    assert rig.checkpointer.confirmations == 1


def test_a_proof_that_cannot_be_had_is_waited_for(executor: ThreadPoolExecutor) -> None:
    """The lease table is away: the record is parked when it is back, and is not passed before."""

    class Away(RecordingCheckpointer):
        def confirm_lease(self) -> None:
            super().confirm_lease()
            if self.confirmations < 4:
                raise OUTAGE

    rig = Rig(ScriptedHandler(failing), MemoryStore(), executor)
    rig.checkpointer = Away()
    rig.process([record_of("a", 1)])
    assert rig.parking.count() == 1
    assert rig.checkpointer.confirmations == 4
    assert rig.checkpointer.positions == [Position(1)]


def test_a_failing_record_parks_its_key_and_stops_nothing_else(executor: ThreadPoolExecutor) -> None:
    """A record that fails by itself is tried again once and parked; its key's followers wait behind it."""
    tries: list[bytes] = []

    def fail(record: DeliveredRecord) -> None:
        tries.append(record.data)
        if record.data == b"a1":
            raise ValueError("broken")

    handler = ScriptedHandler(fail)
    store = MemoryStore()
    rig = Rig(handler, store, executor)
    rig.process([record_of("a", 1), record_of("b", 2), record_of("a", 3)])
    rig.process([record_of("a", 4)])
    assert tries.count(b"a1") == 2
    assert handler.handled == [b"b2"]
    assert rig.checkpointer.positions[-1] == Position(4)
    entries = store.query(PARKING.name, "it/a")
    assert [entry.sort.split("/")[0].lstrip("0") for entry in entries if entry.sort] == ["1", "3", "4"]
    assert entries[0].attributes["reason"] == "ValueError: broken"
    assert rig.parking.count() == 3


def test_whoever_takes_over_knows_what_is_parked(executor: ThreadPoolExecutor) -> None:
    """The next owner of a shard, or of its child, reads the marks before its first record."""
    store = MemoryStore()
    StoredParking(store, "it", lambda: ARRIVAL).park(record_of("a", 1), "broken")
    handler = ScriptedHandler()
    rig = Rig(handler, store, executor)
    rig.process([record_of("a", 2), record_of("b", 3)])
    assert handler.handled == [b"b3"]
    assert rig.parking.count() == 2


def test_parking_itself_survives_an_outage(executor: ThreadPoolExecutor) -> None:
    """A record that cannot be parked now is not passed: parking is tried until it works, and once."""
    faults = iter([Fault.BEFORE, Fault.AFTER, Fault.CONFLICT])

    def fault(operation: str, _: Sequence[Write]) -> Fault | None:
        return next(faults, None) if operation == "transact" else None

    def fail(_: DeliveredRecord) -> None:
        raise ValueError("broken")

    rig = Rig(ScriptedHandler(fail), MemoryStore(fault), executor)
    rig.process([record_of("a", 1)])
    assert rig.parking.count() == 1
    assert rig.checkpointer.positions == [Position(1)]


def test_a_stop_abandons_and_checkpoints_what_is_done(executor: ThreadPoolExecutor) -> None:
    """On a stop nothing new is started, and the checkpoint stays before the first record that is not done."""

    def stop_at_the_second(record: DeliveredRecord) -> None:
        if record.data == b"a2":
            rig.stop.set()
            raise OUTAGE

    handler = ScriptedHandler(stop_at_the_second)
    rig = Rig(handler, MemoryStore(), executor)
    rig.process([record_of("a", n) for n in (1, 2, 3)])
    assert handler.handled == [b"a1"]
    assert rig.checkpointer.positions == [Position(1)]
    rig.processor.shutdown_requested(rig.checkpointer)
    assert rig.checkpointer.positions == [Position(1)]


def test_a_failed_checkpoint_is_made_up_for(executor: ThreadPoolExecutor) -> None:
    """A checkpoint that fails stops nothing; on shutdown the position is checkpointed after all."""
    rig = Rig(ScriptedHandler(), MemoryStore(), executor)
    rig.checkpointer = RecordingCheckpointer(OUTAGE)
    rig.process([record_of("a", 1)])
    assert rig.checkpointer.positions == []
    rig.processor.shutdown_requested(rig.checkpointer)
    assert rig.checkpointer.positions == [Position(1)]


def test_an_empty_call_makes_up_for_a_failed_checkpoint(executor: ThreadPoolExecutor) -> None:
    """On a quiet shard the checkpoint is not left behind until the next record."""
    rig = Rig(ScriptedHandler(), MemoryStore(), executor)
    rig.checkpointer = RecordingCheckpointer(OUTAGE)
    rig.process([record_of("a", 1)])
    rig.process([])
    assert rig.checkpointer.positions == [Position(1)]


def test_a_lost_lease_ends_the_work(executor: ThreadPoolExecutor) -> None:
    """After a refused checkpoint nothing more is started, and the shard's end is not claimed."""
    handler = ScriptedHandler()
    rig = Rig(handler, MemoryStore(), executor)
    rig.checkpointer = RecordingCheckpointer(LeaseLostError("shardId-000000000000", "taken"))
    rig.process([record_of("a", 1)])
    rig.process([record_of("a", 2)])
    rig.processor.shard_ended(rig.checkpointer)
    assert handler.handled == [b"a1"]
    assert None not in rig.checkpointer.positions


def test_nothing_follows_what_was_abandoned(executor: ThreadPoolExecutor) -> None:
    """Should the stop signal be taken back, later records must not pass those that were abandoned."""
    handler = ScriptedHandler()
    rig = Rig(handler, MemoryStore(), executor)
    rig.stop.set()
    rig.process([record_of("a", 1)])
    rig.stop.clear()
    rig.process([record_of("a", 2)])
    assert handler.handled == []
    assert rig.checkpointer.positions == []


def test_what_cannot_be_parked_is_not_passed(executor: ThreadPoolExecutor) -> None:
    """Where even parking fails by itself, the shard stands still until it works."""
    refusals = iter([ValueError("too large")] * 3)

    class Refusing(MemoryStore):
        def transact(self, writes: Sequence[Write]) -> None:
            for refusal in refusals:
                raise refusal
            super().transact(writes)

    def fail(_: DeliveredRecord) -> None:
        raise ValueError("broken")

    rig = Rig(ScriptedHandler(fail), Refusing(), executor)
    rig.process([record_of("a", 1)])
    assert rig.parking.count() == 1
    assert rig.checkpointer.positions == [Position(1)]


def test_the_end_of_a_shard_is_checkpointed(executor: ThreadPoolExecutor) -> None:
    """SHARD_END is checkpointed however often the lease table fails first."""
    rig = Rig(ScriptedHandler(), MemoryStore(), executor)
    checkpointer = RecordingCheckpointer(OUTAGE, OUTAGE)
    rig.processor.shard_ended(checkpointer)
    assert checkpointer.positions == [None]


def test_a_body_larger_than_an_item_is_parked_in_parts() -> None:
    """A record of Kinesis' own maximum can be parked."""
    store = MemoryStore()
    parking = StoredParking(store, "it", lambda: ARRIVAL)
    body = bytes(n * 7919 % 251 ^ (n >> 8) % 256 for n in range(2**20))
    parking.park(record_of("a", 1, body), "broken")
    parts = store.query(PARKING.name, "it/a")
    assert parts[0].attributes["parts"] == len(parts)
    assert parking.count() == 1
