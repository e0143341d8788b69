"""Overtaking: a compensation does not wait behind what is parked, and everything else does."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fakes.engine import ARRIVAL, RecordingCheckpointer, record_of
from orderstream_consumer.delivery import (
    Breaker,
    DeliveryConfig,
    DeliveryTally,
    LaneProcessor,
    ParkedRecords,
    StoredParking,
)
from orderstream_consumer.processing.processor import InitializationInput, ProcessRecordsInput
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_consumer.testing import Fault, MemoryStore


class Guard:
    """An order's forward command and its compensation, final whichever comes first."""

    def __init__(self) -> None:
        self.state = "none"
        self.failing: set[bytes] = set()
        self.heard: list[bytes] = []

    def handle(self, record: DeliveredRecord) -> None:
        self.heard.append(record.data)
        if record.data in self.failing:
            raise ValueError("broken")
        if record.data == b"undo":
            self.state = "undone"
        elif self.state == "none":
            self.state = "done"


class Shard:
    """One owner of a shard after the other, over the same store and guard."""

    def __init__(self, guard: Guard, store: MemoryStore, executor: ThreadPoolExecutor) -> None:
        self.guard, self.store, self.executor = guard, store, executor
        self.tally, self.checkpointer = DeliveryTally(), RecordingCheckpointer()
        self.take_over()

    def take_over(self) -> None:
        self.parking = StoredParking(self.store, "it", lambda: ARRIVAL)
        self.processor = LaneProcessor(
            handler=self.guard,
            parking=self.parking,
            executor=self.executor,
            breaker=Breaker(),
            tally=self.tally,
            stop=_NoWaiting(),
            config=DeliveryConfig(),
            overtakes=lambda record: record.data == b"undo",
        )
        self.processor.initialize(InitializationInput("shardId-000000000000", None))

    def read(self, *records: DeliveredRecord) -> None:
        self.processor.process_records(ProcessRecordsInput(records, self.checkpointer, 0))

    def parked(self) -> list[bytes]:
        return [entry.record.data for entry in ParkedRecords(self.store, "it").records("a")]


class _NoWaiting:
    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


@pytest.fixture
def shard() -> Iterator[Shard]:
    """A shard whose key ``a`` has its forward command parked."""
    with ThreadPoolExecutor(2) as executor:
        guard = Guard()
        guard.failing = {b"do"}
        shard = Shard(guard, MemoryStore(), executor)
        shard.read(record_of("a", 1, b"do"), record_of("a", 2, b"news"))
        assert shard.parked() == [b"do", b"news"]
        yield shard


def test_a_compensation_does_not_wait(shard: Shard) -> None:
    """It is handled at once and not parked; what is no compensation goes on waiting."""
    shard.read(record_of("a", 3, b"undo"), record_of("a", 4, b"more news"))
    assert shard.guard.state == "undone"
    assert shard.parked() == [b"do", b"news", b"more news"]
    assert shard.tally.figures()["overtook"] == 1


def test_the_late_forward_command_changes_nothing(shard: Shard) -> None:
    """Redriven after its compensation, it meets the tombstone; the key is free afterwards."""
    shard.read(record_of("a", 3, b"undo"))
    shard.guard.failing.clear()
    assert ParkedRecords(shard.store, "it").redrive("a", shard.guard) == 2
    assert (shard.guard.state, shard.parked()) == ("undone", [])
    shard.read(record_of("a", 4, b"later"))
    assert (shard.guard.heard[-1], shard.parked()) == (b"later", [])


def test_a_compensation_that_fails_itself_is_parked_at_its_position(shard: Shard) -> None:
    """It waits where it stood in the stream, under the mark's first reason; the next one overtakes again."""
    shard.guard.failing |= {b"undo"}
    shard.read(record_of("a", 3, b"undo"), record_of("a", 4, b"news"))
    assert shard.parked() == [b"do", b"news", b"undo", b"news"]
    shard.guard.failing = {b"do"}
    shard.read(record_of("a", 5, b"undo"))
    assert shard.guard.state == "undone"
    shard.guard.failing.clear()
    assert ParkedRecords(shard.store, "it").redrive("a", shard.guard) == 4
    assert shard.guard.state == "undone"


def test_a_crash_before_the_checkpoint_repeats_it(shard: Shard) -> None:
    """The next owner reads the marks, lets it overtake again, and parks nothing of it."""
    shard.read(record_of("a", 3, b"undo"))
    shard.take_over()
    shard.read(record_of("a", 3, b"undo"))
    assert shard.guard.heard.count(b"undo") == 2
    assert (shard.guard.state, shard.parked()) == ("undone", [b"do", b"news"])


def test_a_crash_after_a_compensation_was_parked_parks_it_once(shard: Shard) -> None:
    """Delivered again it is tried again, and where it fails again its entry is the one there was."""
    shard.guard.failing |= {b"undo"}
    for _ in range(2):
        shard.read(record_of("a", 3, b"undo"))
        shard.take_over()
    assert shard.parked() == [b"do", b"news", b"undo"]


@pytest.mark.parametrize("first", ["do", "undo"])
def test_a_redrive_that_runs_meanwhile_ends_the_same(shard: Shard, first: str) -> None:
    """Whichever of the two is committed first: undone, nothing parked, and no mark is left."""
    shard.guard.failing.clear()
    overtake: Callable[[], None] = lambda: shard.read(record_of("a", 3, b"undo"))  # noqa: E731

    class Redriving(Guard):
        def handle(self, record: DeliveredRecord) -> None:
            if first == "undo" and record.data == b"do":
                overtake()
            shard.guard.handle(record)
            if first == "do" and record.data == b"do":
                overtake()

    assert ParkedRecords(shard.store, "it").redrive("a", Redriving()) == 2
    assert (shard.guard.state, shard.parked(), shard.parking.count()) == ("undone", [], 0)


def test_a_hot_mark_stops_nobody_else() -> None:
    """Contention while a record is parked is waited for, and the breaker stays closed."""
    faults = iter([Fault.CONFLICT] * 2)
    guard = Guard()
    guard.failing = {b"do"}
    with ThreadPoolExecutor(2) as executor:
        store = MemoryStore(lambda operation, _: next(faults, None) if operation == "transact" else None)
        breaker_was_open: list[float] = []

        class Watching(Breaker):
            def failed(self) -> None:
                breaker_was_open.append(1.0)
                super().failed()

        processor = LaneProcessor(
            handler=guard,
            parking=StoredParking(store, "it", lambda: ARRIVAL),
            executor=executor,
            breaker=Watching(),
            tally=DeliveryTally(),
            stop=_NoWaiting(),
            config=DeliveryConfig(),
        )
        processor.process_records(ProcessRecordsInput([record_of("a", 1, b"do")], RecordingCheckpointer(), 0))
    assert [entry.record.data for entry in ParkedRecords(store, "it").records("a")] == [b"do"]
    assert breaker_was_open == []
