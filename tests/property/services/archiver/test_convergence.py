"""Crashes, zombies and lost responses, in any order: the archive has every record once, without a gap."""

import io
from itertools import pairwise

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.engine import RecordingCheckpointer
from fakes.object_store import MemoryObjectStore
from fakes.shard import SimulatedStop, batch_of, delivered
from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.processing.processor import InitializationInput
from orderstream_consumer.processing.record import Position
from orderstream_workers.services.archiver import ArchiveConfig, ArchiverProcessor

RECORDS = [delivered(10 + number // 3, b"x" * (number % 5), sub=number % 3) for number in range(24)]


class Worker:
    """An owner of the shard, past or present. It reads on from the checkpoint that it found."""

    def __init__(self, objects: MemoryObjectStore, checkpoint: Position | None, size: int) -> None:
        stop = SimulatedStop()
        self.checkpointer = RecordingCheckpointer()
        self.processor = ArchiverProcessor(
            objects=objects,
            stop=stop,
            breaker=Breaker(stop.clock),
            tally=DeliveryTally(),
            config=ArchiveConfig(max_records=size),
            clock=stop.clock,
        )
        self.processor.initialize(InitializationInput("shardId-000000000000", checkpoint))
        self._left = [record for record in RECORDS if checkpoint is None or record.position > checkpoint]

    def read(self, count: int) -> None:
        some, self._left = self._left[:count], self._left[count:]
        self.processor.process_records(batch_of(some, self.checkpointer))

    def finish(self) -> None:
        self.read(len(RECORDS))
        self.processor.shutdown_requested(self.checkpointer)


STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 7), st.integers(1, 6), st.booleans()), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_every_record_is_archived_once(steps: list[tuple[int, int, int, bool]]) -> None:
    """Whoever takes over begins at the last checkpoint that counted; those before write on as zombies."""
    objects = MemoryObjectStore()
    checkpoint: Position | None = None
    workers = [Worker(objects, None, 4)]
    for which, count, size, takeover in steps:
        if takeover:
            workers.append(Worker(objects, checkpoint, size))
        worker = workers[which % len(workers)]
        worker.read(count)
        if worker is workers[-1] and worker.checkpointer.positions:
            checkpoint = worker.checkpointer.positions[-1]
    last = Worker(objects, checkpoint, 3)
    last.finish()
    for zombie in workers:
        zombie.finish()
    rows = [
        row for key in objects.names() for row in pq.read_table(io.BytesIO(objects.read(key))).to_pylist()
    ]
    positions = [Position(int(row["sequence_number"]), row["subsequence_number"]) for row in rows]
    assert positions == [record.position for record in RECORDS]
    marks = [objects.metadata(key) for key in objects.names()]
    assert all(after["previous"] == before["to"] for before, after in pairwise(marks))
    assert last.checkpointer.positions[-1:] in ([RECORDS[-1].position], [])
