"""The archiver: bounds, names, convergence with others, outages, the end of a shard."""

import datetime as dt
import io
import json
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from fakes.engine import ARRIVAL, RecordingCheckpointer
from fakes.messages import envelope_of
from fakes.object_store import MemoryObjectStore
from fakes.shard import SimulatedStop, batch_of, delivered
from orderstream.errors import DependencyError
from orderstream.messages import compressed
from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.processing.errors import CheckpointRefusedError, LeaseLostError, ShardGivenUpError
from orderstream_consumer.processing.processor import InitializationInput
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_orders.contracts import LowStockDetected, OrderCancellationRequested, StockRejected
from orderstream_workers.services.archiver import ArchiveConfig, ArchiverProcessor

SHARD = "shardId-000000000000"


class FailingObjectStore(MemoryObjectStore):
    """Fails the next puts; ``lost`` ones after they are stored."""

    failures = 0
    lost = 0

    def put_if_absent(self, key: str, body: bytes, metadata: object) -> bool:
        if self.failures:
            self.failures -= 1
            raise DependencyError("s3", "PutObject", "SlowDown")
        stored = super().put_if_absent(key, body, metadata)
        if self.lost:
            self.lost -= 1
            raise DependencyError("s3", "PutObject", "no response")
        return stored


class Shard:
    """One archiver at work."""

    def __init__(
        self,
        objects: MemoryObjectStore,
        *,
        checkpoint: Position | None = None,
        waits: int | None = None,
        max_bytes: int = 100,
    ) -> None:
        self.stop = SimulatedStop(waits)
        self.checkpointer = RecordingCheckpointer()
        self.tally = DeliveryTally()
        self.processor = ArchiverProcessor(
            objects=objects,
            stop=self.stop,
            breaker=Breaker(self.stop.clock, lambda: 0.0),
            tally=self.tally,
            config=ArchiveConfig(max_records=3, max_bytes=max_bytes, max_seconds=5),
            clock=self.stop.clock,
        )
        self.processor.initialize(InitializationInput(SHARD, checkpoint))

    def process(self, *records: DeliveredRecord) -> None:
        self.processor.process_records(batch_of(records, self.checkpointer))


def plain(*sequences: int) -> list[DeliveredRecord]:
    return [delivered(sequence, b"x") for sequence in sequences]


def archived(objects: MemoryObjectStore) -> list[Position]:
    return [
        Position(int(row["sequence_number"]), row["subsequence_number"])
        for key in objects.names()
        for row in pq.read_table(io.BytesIO(objects.read(key))).to_pylist()
    ]


def assert_without_a_gap(objects: MemoryObjectStore) -> None:
    marks = [objects.metadata(key) for key in objects.names()]
    assert all(after["previous"] == before["to"] for before, after in pairwise(marks))


def test_an_object_is_written_when_it_is_full() -> None:
    """Three records make an object; the checkpoint follows objects, and the rest waits."""
    objects = MemoryObjectStore()
    shard = Shard(objects)
    shard.process(*plain(1, 2, 3, 4))
    assert archived(objects) == [Position(1), Position(2), Position(3)]
    assert shard.checkpointer.positions == [Position(3)]


def test_bytes_fill_an_object_too() -> None:
    """An object is written once its records' data reach the bound."""
    objects = MemoryObjectStore()
    Shard(objects).process(delivered(1, b"x" * 60), delivered(2, b"x" * 60), delivered(3, b"x"))
    assert archived(objects) == [Position(1), Position(2)]


def test_an_object_is_written_when_it_is_due() -> None:
    """An empty call five seconds after the first record writes what is there."""
    objects = MemoryObjectStore()
    shard = Shard(objects)
    shard.process(*plain(1))
    shard.stop.now += 4.9
    shard.process(*plain(2))
    assert archived(objects) == []
    shard.stop.now += 0.1
    shard.process()
    assert archived(objects) == [Position(1), Position(2)]
    assert shard.checkpointer.positions == [Position(2)]


def test_names_sort_as_the_stream_does_and_metadata_shows_gaps() -> None:
    """Sequence numbers of different lengths sort by value; each ``previous`` is the ``to`` before it."""
    objects = MemoryObjectStore()
    shard = Shard(objects, checkpoint=Position(5, 2))
    shard.process(*plain(7, 8, 9, 10, 11, 100), delivered(100, b"x", sub=1))
    shard.processor.shutdown_requested(shard.checkpointer)
    keys = list(objects.names())
    assert keys[0] == f"date={ARRIVAL.date()}/shard={SHARD}/from={7:060}-{0:08}.parquet"
    assert archived(objects) == [*map(Position, (7, 8, 9, 10, 11, 100)), Position(100, 1)]
    assert dict(objects.metadata(keys[0])) == {"from": "7-0", "to": "9-0", "previous": "5-2"}
    assert_without_a_gap(objects)


def test_the_date_is_the_first_record_s_arrival_in_utc() -> None:
    """Whoever begins an object with the same record puts it into the same folder, whatever the local zone."""
    record = delivered(1, b"x")
    zone = dt.timezone(dt.timedelta(hours=-5))
    objects = MemoryObjectStore()
    shard = Shard(objects)
    shard.process(
        DeliveredRecord(SHARD, record.position, "k", b"x", dt.datetime(2026, 1, 1, 23, tzinfo=zone))
    )
    shard.processor.shutdown_requested(shard.checkpointer)
    assert next(objects.names()).startswith("date=2026-01-02/")


def test_columns_tell_of_the_event_and_keep_the_bytes() -> None:
    """What is no event is archived with null event columns; what is about stock names no order."""
    envelope = envelope_of(
        OrderCancellationRequested(order_id="order-1"), source="orders", event_id="e1", time=ARRIVAL
    )
    stock = envelope_of(
        LowStockDetected(sku="85123A", available=99, threshold=100),
        source="stock-monitor",
        event_id="e3",
        time=ARRIVAL,
    )
    objects = MemoryObjectStore()
    shard = Shard(objects, max_bytes=2_000)
    shard.process(
        delivered(1, envelope.encode(), key="order-1"),
        delivered(2, b"\xff\x00"),
        delivered(3, stock.encode(), key="85123A"),
    )
    shard.processor.shutdown_requested(shard.checkpointer)
    rows = pq.read_table(io.BytesIO(objects.read(next(objects.names())))).to_pylist()
    told = [(row["event_id"], row["event_type"], row["order_id"], row["source"]) for row in rows]
    low_stock = ("e3", "LowStockDetected", None)
    assert told == [
        ("e1", "OrderCancellationRequested", "order-1", "orders"),
        (None,) * 4,
        (*low_stock, "stock-monitor"),
    ]
    assert [row["data"] for row in rows] == [envelope.encode(), b"\xff\x00", stock.encode()]
    assert rows[0]["arrived_at"] == ARRIVAL + dt.timedelta(milliseconds=1)
    assert [row["partition_key"] for row in rows] == ["order-1", "k", "85123A"]


def test_a_compressed_event_is_archived_as_it_was_before() -> None:
    """Whoever queries the archive finds JSON; a bomb and other nonsense keep their bytes."""
    envelope = envelope_of(
        StockRejected(order_id="o-1", reason="out of stock, " * 100),
        source="inventory",
        event_id="e1",
        time=ARRIVAL,
    )
    small = compressed(envelope.encode())
    broken = small.replace(b'"KLUv', b'"AAAA')
    objects = MemoryObjectStore()
    shard = Shard(objects, max_bytes=len(small) * 3)
    shard.process(delivered(1, broken), delivered(2, small))
    (key,) = objects.names()
    rows = pq.read_table(io.BytesIO(objects.read(key))).to_pylist()
    assert [row["event_id"] for row in rows] == [None, "e1"]
    assert rows[0]["data"] == broken
    assert json.loads(rows[1]["data"]) == json.loads(envelope.encode())


def test_a_crash_before_the_checkpoint_converges() -> None:
    """The next owner meets the object, takes its end as the checkpoint and goes on behind it."""
    objects = MemoryObjectStore()
    Shard(objects).process(*plain(1, 2, 3))
    second = Shard(objects)
    second.process(*plain(1, 2))
    second.stop.now += 5
    second.process()
    assert second.checkpointer.positions == []  # the object reaches beyond what this owner was handed
    second.process(*plain(3, 4, 5, 6))
    assert second.checkpointer.positions == [Position(6)]
    assert archived(objects) == list(map(Position, range(1, 7)))
    assert_without_a_gap(objects)


def test_what_an_object_does_not_cover_goes_into_the_next() -> None:
    """An object that is shorter than the buffer takes only its own part of it."""
    objects = MemoryObjectStore()
    zombie = Shard(objects)
    zombie.process(*plain(1))
    zombie.processor.shutdown_requested(RecordingCheckpointer())
    owner = Shard(objects)
    owner.process(*plain(1, 2, 3))
    owner.processor.shutdown_requested(owner.checkpointer)
    assert owner.checkpointer.positions == [Position(1), Position(3)]
    assert archived(objects) == list(map(Position, (1, 2, 3)))
    assert_without_a_gap(objects)


def test_an_outage_is_waited_for() -> None:
    """Neither a refusal nor a lost acknowledgement loses or doubles a record."""
    objects = FailingObjectStore()
    objects.failures, objects.lost = 5, 1
    shard = Shard(objects)
    shard.process(*plain(1, 2, 3))
    assert archived(objects) == list(map(Position, (1, 2, 3)))
    assert shard.checkpointer.positions == [Position(3)]
    assert shard.tally.figures() == {"retried": 6, "found": 1, "handled": 3}


def test_a_stop_ends_the_waiting_without_a_checkpoint() -> None:
    """What is not stored is not checkpointed, not even as the shard's end."""
    objects = FailingObjectStore()
    objects.failures = 1_000
    shard = Shard(objects, waits=3)
    shard.process(*plain(1, 2, 3, 4))
    shard.processor.shutdown_requested(shard.checkpointer)
    shard.processor.shard_ended(shard.checkpointer)
    assert shard.checkpointer.positions == []


def test_a_lost_lease_drops_the_buffer() -> None:
    """What another worker owns now is left to it."""
    objects = MemoryObjectStore()
    shard = Shard(objects)
    shard.process(*plain(1, 2))
    shard.processor.lease_lost()
    assert archived(objects) == []


def test_the_end_of_a_shard_is_checkpointed_last() -> None:
    """What is left is written, then the shard is done."""
    objects = MemoryObjectStore()
    shard = Shard(objects)
    shard.process(*plain(1, 2))
    shard.processor.shard_ended(shard.checkpointer)
    assert archived(objects) == [Position(1), Position(2)]
    assert shard.checkpointer.positions == [None]


def test_a_failed_checkpoint_is_made_up_for() -> None:
    """The object is stored; the next call checkpoints it."""
    shard = Shard(MemoryObjectStore())
    shard.checkpointer = RecordingCheckpointer(DependencyError("a", "b", "c"), DependencyError("a", "b", "c"))
    shard.process(*plain(1, 2, 3))
    shard.process()
    shard.process()
    assert shard.checkpointer.positions == [Position(3)]


def test_a_checkpoint_that_is_refused_gives_the_shard_up() -> None:
    """By a defect nobody else could take the shard: it is said, and nothing more is archived here."""
    objects = MemoryObjectStore()
    shard = Shard(objects)
    shard.checkpointer = RecordingCheckpointer(CheckpointRefusedError(SHARD, "beyond"))
    with pytest.raises(ShardGivenUpError, match="beyond"):
        shard.process(*plain(1, 2, 3, 4, 5, 6))
    assert archived(objects) == [Position(1), Position(2), Position(3)]


def test_a_shard_that_is_lost_is_worked_on_no_more() -> None:
    """The engine knows of it; the next owner archives what follows."""
    objects = MemoryObjectStore()
    shard = Shard(objects)
    shard.checkpointer = RecordingCheckpointer(LeaseLostError(SHARD, "taken"))
    shard.process(*plain(1, 2, 3))
    shard.process(*plain(4, 5, 6))
    assert archived(objects) == [Position(1), Position(2), Position(3)]
    assert shard.checkpointer.positions == []


@pytest.mark.parametrize("bad", [{"max_records": 0}, {"max_bytes": 0}, {"max_seconds": 0}])
def test_bounds_are_checked(bad: dict[str, int]) -> None:
    """A bound that could never be met is refused."""
    with pytest.raises(ValueError, match=next(iter(bad))):
        ArchiveConfig(**bad)


class BreakingObjectStore(MemoryObjectStore):
    """Breaks once, with nothing that says it is an outage."""

    broken = True

    def put_if_absent(self, key: str, body: bytes, metadata: object) -> bool:
        if self.broken:
            self.broken = False
            raise MemoryError
        return super().put_if_absent(key, body, metadata)


def test_a_call_that_failed_is_made_again_and_archives_nothing_twice() -> None:
    """An engine hands the same records over again after a failure that is no outage."""
    objects = BreakingObjectStore()
    shard = Shard(objects)
    with pytest.raises(MemoryError):
        shard.process(*plain(1, 2, 3, 4))
    shard.process(*plain(1, 2, 3, 4))
    shard.processor.shutdown_requested(shard.checkpointer)
    assert archived(objects) == [*map(Position, (1, 2, 3, 4))]
    assert_without_a_gap(objects)
