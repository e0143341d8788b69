"""The processor wrapper: lanes, retries and parking above the five calls.

``process_records`` drains its lanes before it returns and never raises: a daemon that sits between us and
Kinesis takes checkpoints only while a call is being served, and skips the batch of a processor that raises.
"""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from orderstream.errors import DependencyError
from orderstream.observability.log_context import log_about, log_scope
from orderstream_consumer.delivery.breaker import Breaker
from orderstream_consumer.delivery.handler import Overtakes, RecordHandler, never_overtakes
from orderstream_consumer.delivery.lanes import Lanes
from orderstream_consumer.delivery.parking import Parking
from orderstream_consumer.delivery.shard_delivery import (
    MAX_REASON,
    DeliveryConfig,
    End,
    ShardDelivery,
    fields_of,
)
from orderstream_consumer.delivery.tally import DeliveryTally
from orderstream_consumer.processing.concurrency import Concurrency, Executor, Mailbox, Threads
from orderstream_consumer.processing.processor import Checkpointer, ProcessRecordsInput, StopSignal
from orderstream_consumer.processing.record import DeliveredRecord

logger = logging.getLogger(__name__)

_NO_THREAD_PAUSE: Final = 0.5
"""Seconds until the system is asked again for a thread that it would not give."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A lane asks whether this worker still owns the shard; the reply is None if it does."""

    reply: Mailbox[DependencyError | None]


class LaneProcessor(ShardDelivery):
    """Delivers the records of one shard to a handler.

    Args:
        handler: Carries records out.
        parking: Where records that fail by themselves wait.
        executor: Runs the handlers; may be shared by all shards of a process.
        breaker: Holds back tries while a dependency fails; shared by all shards of a process.
        tally: Counts what happens.
        stop: Set when work on this shard must end.
        config: How records are delivered.
        overtakes: Which records are handled although earlier ones of their key are parked; by default
            none.
        clock: Monotonic seconds.
        concurrency: Makes the mailbox through which lanes report their ends.
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
        super().__init__(parking=parking, breaker=breaker, tally=tally, stop=stop, config=config)
        self._handler = handler
        self._executor = executor
        self._overtakes = overtakes
        self._clock = clock
        self._concurrency = concurrency or Threads()

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Handle a batch and checkpoint what is done.

        Raises:
            ShardGivenUpError: a lane was ended by force, or a checkpoint was refused as a defect.
        """
        lanes = Lanes(batch.records, self._config.max_lanes, self._config.max_lead)
        ends: Mailbox[tuple[int, End] | _Question] = self._concurrency.mailbox()
        try:
            self._work_through(batch, lanes, ends)
        except BaseException as error:
            # The call will be made again, and no lane may be at work on its records then.
            self._give_up(f"a call failed ({type(error).__name__}: {error})"[:MAX_REASON])
            self._abandon(lanes, ends)
            raise
        self._say_if_given_up()

    def _work_through(
        self, batch: ProcessRecordsInput, lanes: Lanes, ends: Mailbox[tuple[int, End] | _Question]
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
        self, batch: ProcessRecordsInput, lanes: Lanes, ends: Mailbox[tuple[int, End] | _Question]
    ) -> None:
        indexes = deque(lanes.start())
        try:
            while indexes:
                try:
                    self._executor.submit(self._run, batch.records[indexes[0]], indexes[0], ends)
                except RuntimeError as error:
                    lanes.end(indexes.popleft(), done=False)
                    self._without_thread(error)
                else:
                    indexes.popleft()
        finally:
            for index in indexes:
                lanes.end(index, done=False)

    @staticmethod
    def _abandon(lanes: Lanes, ends: Mailbox[tuple[int, End] | _Question]) -> None:
        """Wait until no lane is at work any more; the shard is over, so each stops where it is."""
        while lanes.running:
            event = ends.get()
            if isinstance(event, _Question):
                event.reply.put(None)  # it sees by itself that the shard is over
            else:
                lanes.end(event[0], done=False)

    def _await_one(
        self,
        lanes: Lanes,
        ends: Mailbox[tuple[int, End] | _Question],
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
                reply = self._prove(lanes.low_water, checkpointer)
            except BaseException:
                ends.put(event)  # the thread that abandons the lanes replies
                raise
            event.reply.put(reply)
        else:
            index, end = event
            lanes.end(index, done=end is End.DONE)

    def _without_thread(self, error: RuntimeError) -> None:
        logger.warning("no thread for a record", extra={"error": error})
        if "shutdown" in str(error):
            # The executor is shut down, so the process ends; the next owner starts here.
            self._give_up(str(error))

    def _run(self, record: DeliveredRecord, index: int, ends: Mailbox[tuple[int, End] | _Question]) -> None:
        end = End.ABANDONED
        try:
            with log_scope():
                log_about(shard_id=record.shard_id)
                end = self._deliver(record, ends)
        except BaseException as error:
            # Not a failure of the record: started again it would end thread after thread, without a pause.
            logger.exception("a lane was ended by force, the shard is given up", extra=fields_of(record))
            self._give_up(f"a lane was ended by force ({type(error).__name__}: {error})"[:MAX_REASON])
            raise
        finally:
            ends.put((index, end))

    def _deliver(self, record: DeliveredRecord, ends: Mailbox[tuple[int, End] | _Question]) -> End:
        """Handle one record, without end while a dependency fails, until it is done, parked or abandoned."""
        ended = self._tries(lambda: self._attempt(record), fields_of(record), self._config.record_retries)
        return ended if isinstance(ended, End) else self._park(record, ended, ends)

    def _attempt(self, record: DeliveredRecord) -> None:
        if self._parking.is_parked(record.partition_key):
            if self._overtakes(record):
                # If it fails by itself, it is parked at its position in the stream, as any other.
                self._tally.count("overtook")
                logger.info("the record overtakes what is parked", extra=fields_of(record))
            elif self._parking.append(record):
                self._tally.count("parked")
                return
        self._handler.handle(record)
        self._tally.count("handled")
        logger.debug("record handled", extra=fields_of(record))

    def _park(self, record: DeliveredRecord, reason: str, ends: Mailbox[tuple[int, End] | _Question]) -> End:
        def prove() -> None:
            reply: Mailbox[DependencyError | None] = self._concurrency.mailbox()
            ends.put(_Question(reply))  # the call's own thread asks: no other may use its checkpointer
            if (error := reply.get()) is not None:
                raise error

        return self._put_aside(record, reason, prove)
