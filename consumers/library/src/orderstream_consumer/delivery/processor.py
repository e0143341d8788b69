"""The processor wrapper: lanes, retries and parking above the five calls.

``process_records`` drains its lanes before it returns and never raises: a daemon that sits between us and
Kinesis takes checkpoints only while a call is being answered, and skips the batch of a processor that raises.
"""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.delivery.breaker import Breaker
from orderstream_consumer.delivery.handler import Overtakes, RecordHandler, never_overtakes
from orderstream_consumer.delivery.lanes import Lanes
from orderstream_consumer.delivery.parking import Parking
from orderstream_consumer.delivery.persistence import until_it_works, wait_out_contention
from orderstream_consumer.delivery.tally import DeliveryTally
from orderstream_consumer.processing.concurrency import Concurrency, Executor, Mailbox, Threads
from orderstream_consumer.processing.errors import LeaseLostError, ShardGivenUpError
from orderstream_consumer.processing.log_context import log_scope
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import ContentionError

logger = logging.getLogger(__name__)

_NO_THREAD_PAUSE: Final = 0.5
"""Seconds until the system is asked again for a thread that it would not give."""

_MAX_REASON: Final = 1_000
"""Characters of a reason that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryConfig:
    """How records are delivered.

    Attributes:
        max_lanes: Keys of one shard that are handled at the same time, at least 1. 1 is serial.
        max_lead: Records that may be done beyond the low-water mark, at least 1.
        checkpoint_every: Seconds between checkpoints while a batch is under way, above 0.
        record_retries: Times that a record is tried again after a failure of its own, at least 0.
    """

    max_lanes: int = 8
    max_lead: int = 2_000
    checkpoint_every: float = 2.0
    record_retries: int = 1

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, lowest in (("max_lanes", 1), ("max_lead", 1), ("record_retries", 0)):
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} must be at least {lowest}, not {getattr(self, name)}")
        if self.checkpoint_every <= 0:
            raise ValueError(f"checkpoint_every must be above 0, not {self.checkpoint_every}")


@dataclass(frozen=True, slots=True)
class _Question:
    """A lane wants to know whether the shard is still ours; None is the answer if it is."""

    answer: Mailbox[DependencyError | None]


class _End(Enum):
    DONE = auto()
    ABANDONED = auto()


class LaneProcessor:
    """Delivers the records of one shard to a handler.

    Args:
        handler: Carries records out.
        parking: Where records that fail by themselves wait.
        executor: Runs the handlers; may be shared by all shards of a process.
        breaker: Holds back tries while a dependency fails; shared by all shards of a process.
        tally: Counts what happens.
        stop: Set when this shard must come to an end.
        config: How records are delivered.
        overtakes: Which records are handled although earlier ones of their key are parked; by default
            none.
        clock: Monotonic seconds.
        concurrency: Makes the mailbox through which lanes tell of their ends.
    """

    def __init__(
        self,
        *,
        handler: RecordHandler,
        parking: Parking,
        executor: Executor,
        breaker: Breaker,
        tally: DeliveryTally,
        stop: StopSignal,
        config: DeliveryConfig,
        overtakes: Overtakes = never_overtakes,
        clock: Callable[[], float] = time.monotonic,
        concurrency: Concurrency | None = None,
    ) -> None:
        self._handler = handler
        self._parking = parking
        self._executor = executor
        self._breaker = breaker
        self._tally = tally
        self._stop = stop
        self._config = config
        self._overtakes = overtakes
        self._clock = clock
        self._concurrency = concurrency or Threads()
        self._reached: Position | None = None
        self._checkpointed: Position | None = None
        self._shard_id = ""
        self._over = False  # once a record was abandoned, nothing behind it may be started
        self._given_up: str | None = None

    def initialize(self, initialization: InitializationInput) -> None:
        """Read which keys are parked; waits for as long as that fails."""
        self._shard_id = initialization.shard_id
        self._checkpointed = initialization.checkpoint
        self._over = not self._until_it_works(self._parking.load)

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Handle a batch and checkpoint what is done.

        Raises:
            ShardGivenUpError: a lane was ended by force, or a checkpoint was refused as a defect.
        """
        lanes = Lanes(batch.records, self._config.max_lanes, self._config.max_lead)
        ends: Mailbox[tuple[int, _End] | _Question] = self._concurrency.mailbox()
        try:
            self._work_through(batch, lanes, ends)
        except BaseException as error:
            # The call will be made again, and no lane may be at work on its records then.
            self._give_up(f"a call failed ({type(error).__name__}: {error})"[:_MAX_REASON])
            self._abandon(lanes, ends)
            raise
        self._say_if_given_up()

    def _work_through(
        self, batch: ProcessRecordsInput, lanes: Lanes, ends: Mailbox[tuple[int, _End] | _Question]
    ) -> None:
        due = self._clock() + self._config.checkpoint_every
        while not lanes.finished:
            if not self._stopping():
                self._start(batch, lanes, ends)
            if not lanes.running:
                if self._stopping():
                    break
                self._stop.wait(_NO_THREAD_PAUSE)
                continue
            self._await_one(lanes, ends, due - self._clock(), batch.checkpointer)
            if self._clock() >= due:
                self._checkpoint(lanes.low_water, batch.checkpointer)
                due = self._clock() + self._config.checkpoint_every
        self._over = self._over or not lanes.finished
        self._checkpoint(lanes.low_water, batch.checkpointer)

    def _start(
        self, batch: ProcessRecordsInput, lanes: Lanes, ends: Mailbox[tuple[int, _End] | _Question]
    ) -> None:
        places = deque(lanes.start())
        try:
            while places:
                try:
                    self._executor.submit(self._run, batch.records[places[0]], places[0], ends)
                except RuntimeError as error:
                    lanes.end(places.popleft(), done=False)
                    self._without_thread(error)
                else:
                    places.popleft()
        finally:
            for place in places:
                lanes.end(place, done=False)

    @staticmethod
    def _abandon(lanes: Lanes, ends: Mailbox[tuple[int, _End] | _Question]) -> None:
        """Wait until no lane is at work any more; the shard is over, so each stops where it is."""
        while lanes.running:
            event = ends.get()
            if isinstance(event, _Question):
                event.answer.put(None)  # it sees by itself that the shard is over
            else:
                lanes.end(event[0], done=False)

    def _await_one(
        self,
        lanes: Lanes,
        ends: Mailbox[tuple[int, _End] | _Question],
        seconds: float,
        checkpointer: Checkpointer,
    ) -> None:
        """Wait until a lane has ended or asks something, or the next checkpoint is due."""
        try:
            event = ends.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return
        if isinstance(event, _Question):
            try:
                answer = self._prove(lanes.low_water, checkpointer)
            except BaseException:
                ends.put(event)  # whoever abandons the lanes answers it
                raise
            event.answer.put(answer)
        else:
            place, end = event
            lanes.end(place, done=end is _End.DONE)

    def _without_thread(self, error: RuntimeError) -> None:
        logger.warning("no thread for a record", extra={"error": str(error)})
        if "shutdown" in str(error):
            # The executor is shut down, so the process ends; the next owner starts here.
            self._give_up(str(error))

    def lease_lost(self) -> None:
        """Nothing to do: the lanes were drained before the last call returned."""

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Every record is done or parked, so the shard is."""
        self._until_it_works(lambda: self._end(checkpointer))
        self._say_if_given_up()

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Checkpoint what is done."""
        # If it fails, the next owner repeats what was done since the last one, which the guards allow for.
        self._checkpoint(self._reached, checkpointer)

    def _checkpoint(self, position: Position | None, checkpointer: Checkpointer) -> None:
        self._reached = position or self._reached
        if self._reached in {None, self._checkpointed}:
            return
        try:
            checkpointer.checkpoint(self._reached)
        except DependencyError as error:
            # The next call makes up for it, and so does any later checkpoint.
            logger.warning("no checkpoint for now", extra={"error": str(error)})
        except OrderstreamError as error:
            self._lose(error)
        else:
            self._checkpointed = self._reached

    def _end(self, checkpointer: Checkpointer) -> None:
        try:
            checkpointer.checkpoint()
        except DependencyError:
            raise
        except OrderstreamError as error:
            self._lose(error)

    def _prove(self, position: Position | None, checkpointer: Checkpointer) -> DependencyError | None:
        """Find out whether the shard is still ours; a shard that is not is over."""
        # Under KCL a checkpoint is all the proof that there is.
        self._checkpoint(position, checkpointer)
        try:
            checkpointer.confirm_lease()
        except DependencyError as error:
            return error
        except OrderstreamError as error:
            self._lose(error)
        return None

    def _lose(self, error: OrderstreamError) -> None:
        logger.warning("checkpoint refused, stopping work on the shard", extra={"error": str(error)})
        self._over = True
        if not isinstance(error, LeaseLostError):
            # The engine knows of a lost lease. Of a defect it does not know, and would go on renewing.
            self._give_up(str(error))

    def _give_up(self, reason: str) -> None:
        self._over = True
        self._given_up = self._given_up or reason
        self._tally.count("given_up")

    def _say_if_given_up(self) -> None:
        if self._given_up is not None and not self._stop.is_set():
            raise ShardGivenUpError(self._shard_id, self._given_up)

    def _stopping(self) -> bool:
        return self._over or self._stop.is_set()

    def _run(self, record: DeliveredRecord, place: int, ends: Mailbox[tuple[int, _End] | _Question]) -> None:
        end = _End.ABANDONED
        try:
            with log_scope():
                end = self._deliver(record, ends)
        except BaseException as error:
            # Not a failure of the record: started again it would end thread after thread, without a pause.
            logger.exception("a lane was ended by force, the shard is given up", extra=_fields(record))
            self._give_up(f"a lane was ended by force ({type(error).__name__}: {error})"[:_MAX_REASON])
            raise
        finally:
            ends.put((place, end))

    def _deliver(self, record: DeliveredRecord, ends: Mailbox[tuple[int, _End] | _Question]) -> _End:
        """Handle one record, for ever while a dependency fails, until it is done, parked or abandoned."""
        failures = 0
        while not self._stopping():
            if pause := self._breaker.pause():
                self._stop.wait(pause)
                continue
            try:
                self._attempt(record)
            except ContentionError as error:
                wait_out_contention(error, self._stop, self._breaker, self._tally)
            except DependencyError as error:
                self._breaker.failed()
                self._tally.retried(str(error))
                logger.warning(
                    "a dependency fails, trying again", extra=_fields(record) | {"error": str(error)}
                )
            except Exception as error:
                self._breaker.succeeded()
                failures += 1
                logger.exception("the record itself fails", extra=_fields(record))
                if failures > self._config.record_retries:
                    # Cut: an error may quote what it met, and a mark has to fit into an item.
                    return self._park(record, f"{type(error).__name__}: {error}"[:_MAX_REASON], ends)
            else:
                self._breaker.succeeded()
                return _End.DONE
        self._tally.count("abandoned")
        return _End.ABANDONED

    def _attempt(self, record: DeliveredRecord) -> None:
        if self._parking.is_parked(record.partition_key):
            if self._overtakes(record):
                # If it fails by itself, it is parked at its place in the stream, as any other.
                self._tally.count("overtook")
                logger.info("the record overtakes what is parked", extra=_fields(record))
            elif self._parking.append(record):
                self._tally.count("parked")
                return
        self._handler.handle(record)
        self._tally.count("handled")
        logger.debug("record handled", extra=_fields(record))

    def _park(
        self, record: DeliveredRecord, reason: str, ends: Mailbox[tuple[int, _End] | _Question]
    ) -> _End:
        def prove() -> None:
            answer: Mailbox[DependencyError | None] = self._concurrency.mailbox()
            ends.put(_Question(answer))  # the call's own thread asks: no other may use its checkpointer
            if (error := answer.get()) is not None:
                raise error

        # A successor may have carried the record out: what it did must not be held back by us.
        if not self._until_it_works(prove) or self._stopping():
            return _End.ABANDONED
        if not self._until_it_works(lambda: self._parking.park(record, reason)):
            return _End.ABANDONED
        self._tally.count("parked")
        return _End.DONE

    def _until_it_works(self, act: Callable[[], object]) -> bool:
        return until_it_works(
            act,
            stop=self._stop,
            breaker=self._breaker,
            tally=self._tally,
            is_over=lambda: self._over,
            # Going on would pass a record that is recorded nowhere: the shard stands still and says so.
            retried=Exception,
        )


def _fields(record: DeliveredRecord) -> dict[str, object]:
    return {
        "shard_id": record.shard_id,
        "sequence_number": str(record.position.sequence_number),
        "subsequence_number": record.position.subsequence_number,
        "partition_key": record.partition_key,
    }
