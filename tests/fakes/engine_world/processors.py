"""Two kinds of processors: one that does as it likes between checkpoints, and the shipped lanes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from fakes.engine_world.ledger import Ledger
from fakes.engine_world.network import Network
from fakes.engine_world.scheduler import Scheduler
from fakes.engine_world.stream import client_error
from orderstream.errors import DependencyError
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    RecordProcessor,
    StopSignal,
)
from orderstream_consumer.processing.record import DeliveredRecord, Position


@dataclass
class HandlingTrouble:
    """How often what goes wrong, as probabilities of a record; and which fail until they are mended."""

    pauses: float = 0.0
    longest_pause: float = 12.0
    raises: float = 0.0
    exits: float = 0.0
    poison: set[bytes] = field(default_factory=set)


class WatchedStop:
    """A stop signal that holds the engine to its word: not set means that the lease is still ours."""

    def __init__(self, stop: StopSignal, believes: Callable[[], None]) -> None:
        self._stop = stop
        self._believes = believes

    def is_set(self) -> bool:
        stops = self._stop.is_set()
        if not stops:
            self._believes()
        return stops

    def wait(self, timeout: float | None = None) -> bool:
        return self._stop.wait(timeout)


class SimulatedHandler:
    """Carries records out over the network, with pauses and failures of its own."""

    def __init__(
        self, ledger: Ledger, network: Network, scheduler: Scheduler, random: Random, trouble: HandlingTrouble
    ) -> None:
        self._ledger = ledger
        self._network = network
        self._scheduler = scheduler
        self._random = random
        self._trouble = trouble

    def handle(self, record: DeliveredRecord) -> None:
        self._ledger.delivered(record)
        trouble, random = self._trouble, self._random
        if random.random() < trouble.pauses:
            self._scheduler.sleep(random.uniform(0.1, trouble.longest_pause))
        if record.data in trouble.poison:
            raise ValueError("this record cannot be carried out")
        if random.random() < trouble.raises:
            raise RuntimeError("as drawn")
        if random.random() < trouble.exits:
            raise SystemExit
        try:
            self._network.call(lambda: self._ledger.done(record), ("InternalFailure",), "Effect")
        except Exception as error:
            raise DependencyError("effect", "handle", str(error)) from error


class WatchedProcessor:
    """Passes all calls on, and demands a word where retention took what comes behind the checkpoint."""

    def __init__(
        self,
        processor: RecordProcessor,
        has_lost: Callable[[Position, Position], bool],
        complain: Callable[[str], None],
    ) -> None:
        self._processor = processor
        self._has_lost = has_lost
        self._complain = complain
        self._begins_behind: Position | None = None
        self.lease_lost = processor.lease_lost
        self.shard_ended = processor.shard_ended
        self.shutdown_requested = processor.shutdown_requested

    def initialize(self, initialization: InitializationInput) -> None:
        self._begins_behind = initialization.checkpoint
        self._processor.initialize(initialization)

    def process_records(self, batch: ProcessRecordsInput) -> None:
        if batch.gap is not None:
            self._begins_behind = None
        if batch.records and self._begins_behind is not None:
            if self._has_lost(self._begins_behind, batch.records[0].position):
                self._complain(f"nobody is told what retention took behind {self._begins_behind}")
            self._begins_behind = None
        self._processor.process_records(batch)


class CarelessProcessor:
    """Handles records in order; it raises now and then, and often checkpoints less than is done."""

    def __init__(
        self, handler: SimulatedHandler, stop: StopSignal, random: Random, raises: Callable[[], bool]
    ):
        self._handler = handler
        self._stop = stop
        self._random = random
        self._raises = raises

    def initialize(self, initialization: InitializationInput) -> None:
        self._maybe_raise()

    def process_records(self, batch: ProcessRecordsInput) -> None:
        done: list[Position] = []
        for record in batch.records:
            if self._stop.is_set():
                break
            self._handler.handle(record)
            done.append(record.position)
        if done:
            # Often not all that is done, so that the next owner begins inside an aggregate.
            batch.checkpointer.checkpoint(self._random.choice((done[-1], *done)))

    def lease_lost(self) -> None:
        self._maybe_raise()

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        self._maybe_raise()
        checkpointer.checkpoint()

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        self._maybe_raise()

    def _maybe_raise(self) -> None:
        if self._raises():
            raise client_error("AsDrawn", "processor")
