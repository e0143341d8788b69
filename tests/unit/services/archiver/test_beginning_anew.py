"""An archiver that begins without a checkpoint, or behind lost records, goes on with the one chain."""

import datetime as dt
import io
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.engine import RecordingCheckpointer
from fakes.object_store import MemoryObjectStore
from fakes.shard import SimulatedStop, delivered
from orderstream.errors import DependencyError
from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.processing.processor import InitializationInput, ProcessRecordsInput
from orderstream_consumer.processing.record import DeliveredRecord, Position, RetentionGap
from orderstream_workers.services.archiver import ArchiveConfig, ArchiverProcessor

SHARD = "shardId-000000000000"


class Run:
    """One life of an archiver on the shard."""

    def __init__(
        self, objects: MemoryObjectStore, checkpoint: Position | None = None, max_records: int = 3
    ) -> None:
        stop = SimulatedStop()
        self.tally = DeliveryTally()
        self.checkpointer = RecordingCheckpointer()
        self.processor = ArchiverProcessor(
            objects=objects,
            stop=stop,
            breaker=Breaker(stop.clock),
            tally=self.tally,
            config=ArchiveConfig(max_records=max_records),
            clock=stop.clock,
        )
        self.processor.initialize(InitializationInput(SHARD, checkpoint))

    def read(self, *numbers: int, gap: RetentionGap | None = None) -> None:
        records = [record(number) for number in numbers]
        self.processor.process_records(ProcessRecordsInput(records, self.checkpointer, 0, gap))

    def finish(self) -> None:
        self.processor.shutdown_requested(self.checkpointer)


def record(number: int) -> DeliveredRecord:
    """One record every six hours, so that objects span days."""
    arrival = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=6 * number)
    return replace(delivered(number, b"x"), approximate_arrival=arrival)


def archived(objects: MemoryObjectStore) -> list[int]:
    return [
        int(row["sequence_number"])
        for key in objects.names()
        if SHARD in key
        for row in pq.read_table(io.BytesIO(objects.read(key))).to_pylist()
    ]


def chain(objects: MemoryObjectStore) -> list[tuple[str, str, str, str]]:
    marks = [objects.metadata(key) for key in objects.names() if SHARD in key]
    return [(mark["previous"], mark["from"], mark["to"], mark.get("gap", "")) for mark in marks]


SIZES = st.integers(1, 5)


@settings(max_examples=60, deadline=None)
@given(done=st.integers(1, 20), first=st.integers(1, 24), sizes=st.tuples(SIZES, SIZES))
def test_whatever_was_trimmed_there_is_one_chain(done: int, first: int, sizes: tuple[int, int]) -> None:
    """The leases are gone, the stream begins anywhere: no record twice, no second chain, a hole is told."""
    objects = MemoryObjectStore()
    run = Run(objects, max_records=sizes[0])
    run.read(*range(1, done + 1))
    run.finish()
    again = Run(objects, max_records=sizes[1])
    again.read(*range(first, 25))
    again.finish()
    assert archived(objects) == [*range(1, done + 1), *range(max(first, done + 1), 25)]
    links = chain(objects)
    assert [before[2] for before in links[:-1]] == [after[0] for after in links[1:]]
    # The first record behind the end may be the very next one, which nobody can know.
    told = [link for link in links if link[3]]
    assert [link[3] for link in told] == (["possible"] if first > done else [])
    assert again.tally.figures().get("gaps", 0) == len(told)


def test_a_first_archiver_has_no_gap() -> None:
    """Nor does the shard of another stream's archive, or a folder of somebody else, mislead it."""
    objects = MemoryObjectStore()
    objects.put_if_absent("notes/readme", b"", {})
    objects.put_if_absent("date=2026-01-01/shard=shardId-000000000007/from=1.parquet", b"", {"to": "9-0"})
    run = Run(objects)
    run.read(1, 2, 3)
    assert chain(objects)[0] == ("", "1-0", "3-0", "")


def test_what_retention_has_taken_is_an_entry_of_the_chain() -> None:
    """Records 4 to 6 were gone before they were read: the chain does not look whole.

    What was collected before the gap is an object of its own, and the call may be made again.
    """
    objects = MemoryObjectStore()
    run = Run(objects, Position(1))
    run.read(2, 3)
    gap = RetentionGap(Position(3), Position(7))
    for _ in range(2):
        run.read(7, 8, gap=gap)
    run.finish()
    assert chain(objects) == [("1-0", "2-0", "3-0", ""), ("3-0", "7-0", "8-0", "lost")]
    assert run.tally.figures()["gaps"] == 1


def test_a_gap_that_is_told_is_told_once() -> None:
    """Killed before its checkpoint, the archiver meets the gap again, and trimming has gone on meanwhile."""
    objects = MemoryObjectStore()
    Run(objects, Position(3)).read(7, 8, 9, gap=RetentionGap(Position(3), Position(7)))
    again = Run(objects, Position(3))
    again.read(8, 9, 10, 11, 12, gap=RetentionGap(Position(3), Position(8)))
    assert archived(objects) == [7, 8, 9, 10, 11, 12]
    assert chain(objects) == [("3-0", "7-0", "9-0", "lost"), ("9-0", "10-0", "12-0", "")]


def test_an_archive_that_cannot_be_listed_is_waited_for() -> None:
    """Without its response nothing is written: a second chain could not be undone."""

    class Away(MemoryObjectStore):
        failures = 5

        def folders(self):
            if self.failures:
                self.failures -= 1
                raise DependencyError("s3", "ListObjectsV2", "SlowDown")
            return super().folders()

    objects = Away()
    run = Run(objects)
    run.read(1, 2, 3)
    assert run.tally.figures()["retried"] == 5
    assert archived(objects) == [1, 2, 3]


@pytest.mark.parametrize("first", [2, 3])
def test_beginning_anew_is_said(first: int, caplog: pytest.LogCaptureFixture) -> None:
    """A person who has deleted leases by mistake reads it in the log."""
    objects = MemoryObjectStore()
    Run(objects).read(1, 2, 3)
    Run(objects).read(first)
    assert "the archive has these records already, it goes on behind them" in caplog.messages
