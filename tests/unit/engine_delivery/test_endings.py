"""The processor when threads or handlers end by force: it returns, and passes nothing that is not done."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from fakes.engine import ARRIVAL, RecordingCheckpointer, record_of
from orderstream_consumer.delivery import (
    Breaker,
    DeliveryConfig,
    DeliveryTally,
    LaneProcessor,
    RecordHandler,
    StoredParking,
)
from orderstream_consumer.processing.errors import (
    CheckpointRefusedError,
    LeaseLostError,
    ShardGivenUpError,
)
from orderstream_consumer.processing.processor import InitializationInput, ProcessRecordsInput
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.testing import MemoryStore


class ExitingHandler:
    """Ends its thread on one key, at most as often as is said; after that it carries everything out."""

    def __init__(self, key: str = "", exits: int = 0) -> None:
        self.handled: list[bytes] = []
        self.exits = 0
        self._key = key
        self._most = exits

    def handle(self, record: DeliveredRecord) -> None:
        if record.partition_key == self._key and self.exits < self._most:
            self.exits += 1
            raise SystemExit
        self.handled.append(record.data)


def processor_of(
    handler: RecordHandler, executor: ThreadPoolExecutor, *, max_lanes: int = 1
) -> LaneProcessor:
    processor = LaneProcessor(
        handler=handler,
        parking=StoredParking(MemoryStore(), "it", lambda: ARRIVAL),
        executor=executor,
        breaker=Breaker(),
        tally=DeliveryTally(),
        stop=threading.Event(),
        config=DeliveryConfig(max_lanes=max_lanes),
    )
    processor.initialize(InitializationInput("shardId-000000000000", None))
    return processor


def test_an_executor_that_is_shut_down_ends_the_work() -> None:
    """The shard is given up: nothing is checkpointed, and nothing passes."""
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    checkpointer = RecordingCheckpointer()
    processor = processor_of(ExitingHandler(), executor)
    with pytest.raises(ShardGivenUpError, match="shutdown"):
        processor.process_records(ProcessRecordsInput([record_of("a", 1)], checkpointer, 0))
    with pytest.raises(ShardGivenUpError):
        processor.shard_ended(checkpointer)
    assert checkpointer.positions == []


def test_a_handler_that_ends_its_thread_gives_the_shard_up() -> None:
    """It is not started again and again, and nothing behind its record is handled or checkpointed.

    The engine is told, so that the shard does not stand still under a lease that is renewed.
    """
    handler = ExitingHandler("b", exits=50)
    checkpointer = RecordingCheckpointer()
    with ThreadPoolExecutor(1) as executor:
        processor = processor_of(handler, executor)
        records = [record_of("a", 1), record_of("b", 2), record_of("c", 3)]
        with pytest.raises(ShardGivenUpError, match=r"SystemExit"):
            processor.process_records(ProcessRecordsInput(records, checkpointer, 0))
        with pytest.raises(ShardGivenUpError):
            processor.shard_ended(checkpointer)
        processor.shutdown_requested(checkpointer)
    assert handler.exits == 1
    assert handler.handled == [b"a1"]
    assert checkpointer.positions == [Position(1)]


def test_a_checkpoint_that_is_refused_as_a_defect_gives_the_shard_up() -> None:
    """Of a lost lease the engine knows; of a checkpoint that it finds fault with it would know nothing."""
    for error, gives_up in (
        (CheckpointRefusedError("s", "beyond"), True),
        (LeaseLostError("s", "taken"), False),
    ):
        checkpointer = RecordingCheckpointer(error)
        with ThreadPoolExecutor(1) as executor, ExitStack() as expected:
            processor = processor_of(ExitingHandler(), executor)
            if gives_up:
                expected.enter_context(pytest.raises(ShardGivenUpError, match="beyond"))
            processor.process_records(ProcessRecordsInput([record_of("a", 1)], checkpointer, 0))


def test_an_empty_batch_checkpoints_nothing() -> None:
    """Engines hand over empty batches to show progress; there is no position in them."""
    checkpointer = RecordingCheckpointer()
    with ThreadPoolExecutor(1) as executor:
        processor_of(ExitingHandler(), executor).process_records(ProcessRecordsInput([], checkpointer, 0))
    assert checkpointer.positions == []


class StingyExecutor(ThreadPoolExecutor):
    """Has no thread for the first tasks, as a system at its limit."""

    refusals = 2

    def submit(self, *arguments: Any, **named: Any) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise RuntimeError("can't start new thread")
        return super().submit(*arguments, **named)


def test_a_system_without_threads_is_asked_again() -> None:
    """The shard would stand still forever under a lease that is renewed; nothing is skipped meanwhile."""
    handler, checkpointer = ExitingHandler(), RecordingCheckpointer()
    with StingyExecutor(1) as executor:
        processor = processor_of(handler, executor)
        records = [record_of("a", 1), record_of("b", 2)]
        processor.process_records(ProcessRecordsInput(records, checkpointer, 0))
    assert handler.handled == [b"a1", b"b2"]
    assert checkpointer.positions == [Position(2)]


class BrokenCheckpointer(RecordingCheckpointer):
    """Fails in a way that nobody foresaw once it is asked to prove the lease."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def confirm_lease(self) -> None:
        self.asked.set()
        raise MemoryError


class HalfBadHandler:
    """Fails by itself on the key ``bad``; anything else it carries out once the lease was to be proved."""

    def __init__(self, goes_on: threading.Event) -> None:
        self.handled: list[bytes] = []
        self._goes_on = goes_on

    def handle(self, record: DeliveredRecord) -> None:
        if record.partition_key == "bad":
            raise ValueError
        self._goes_on.wait(10)
        self.handled.append(record.data)


def test_a_call_that_fails_leaves_no_lane_behind() -> None:
    """It is made again with the same batch, and a lane that went on would have its record in two hands."""
    checkpointer = BrokenCheckpointer()
    handler = HalfBadHandler(checkpointer.asked)
    executor = ThreadPoolExecutor(2)
    processor = processor_of(handler, executor, max_lanes=2)
    batch = ProcessRecordsInput([record_of("a", 1), record_of("bad", 2)], checkpointer, 0)
    with pytest.raises(MemoryError):
        processor.process_records(batch)
    with pytest.raises(ShardGivenUpError, match="MemoryError"):
        processor.process_records(batch)
    executor.shutdown(wait=False, cancel_futures=True)
    assert handler.handled == [b"a1"]
    assert checkpointer.positions in ([], [Position(1)])
