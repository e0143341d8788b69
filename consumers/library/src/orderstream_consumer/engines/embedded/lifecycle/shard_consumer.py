"""One shard at work: its two machines, its lease and its processor, put together.

It decides; whatever takes time it hands out as jobs. A job runs on any thread and its result comes back
through ``on``. The worker runs jobs on executors; a simulation runs them whenever it likes.
"""

import datetime as dt
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from random import Random
from typing import Final

from orderstream.errors import OrderstreamError
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.checkpoint import ShardCheckpoints
from orderstream_consumer.engines.embedded.leases import OwnedLease
from orderstream_consumer.engines.embedded.lifecycle.shard_lifecycle import (
    Action,
    Command,
    Completed,
    Fetched,
    Input,
    Process,
    RegisterChildren,
    ShardLifecycle,
    Signal,
    State,
)
from orderstream_consumer.engines.embedded.lifecycle.stop_signal import ShardStop
from orderstream_consumer.engines.embedded.lifecycle.syncer import ShardSyncer
from orderstream_consumer.engines.embedded.retrieval import (
    Issued,
    IssueIterator,
    KinesisReader,
    LookedUp,
    LookUpShard,
    Pin,
    Pinned,
    PollingReader,
    Read,
    ReadRecords,
    Refusal,
    RetrievalRequest,
    RetrievalResponse,
    RetrievedBatch,
)
from orderstream_consumer.processing.concurrency import Concurrency, Threads
from orderstream_consumer.processing.errors import ShardGivenUpError
from orderstream_consumer.processing.processor import (
    InitializationInput,
    ProcessorFactory,
    ProcessRecordsInput,
)
from orderstream_consumer.processing.progress import ShardProgress, UnhandledRecords

logger = logging.getLogger(__name__)

_RESPONSES: Final = (Issued, Read, LookedUp, Pinned, Refusal)

ConsumerInput = Input | RetrievalResponse
"""What a shard consumer takes: its lifecycle's inputs and its reader's responses."""


class Pool(Enum):
    """Where a job should run."""

    READ = auto()
    """It reads from Kinesis: short, and many shards may share threads."""
    CALL = auto()
    """It calls the processor or writes leases: it may take as long as a batch does."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done outside the thread that runs the machines.

    Attributes:
        pool: Where.
        run: Does it, and gives the input for ``ShardConsumer.on``. Does not raise.
    """

    pool: Pool
    run: Callable[[], ConsumerInput]


@dataclass(slots=True)
class _Observed:
    state_since: dt.datetime
    read_lag_millis: int | None = None
    last_read: dt.datetime | None = None
    failure: str | None = None
    wrong_shard_aggregates: int = 0
    corrupt_aggregates: int = 0


class ShardConsumer:
    """Works on one shard for as long as its lease is held. All but ``progress`` belongs to one thread.

    Args:
        owned: The shard's lease, just taken.
        processors: Makes its processor.
        reader: Calls Kinesis.
        syncer: Creates leases.
        config: How to work.
        clock: Monotonic seconds.
        wall_clock: The time, with a zone.
        random: Source of jitter.
        concurrency: Makes its stop signal's event.

    Attributes:
        stop: The processor's stop signal.
        given_up: Why the shard is left to other workers without their request; None if it is not.
    """

    def __init__(
        self,
        owned: OwnedLease,
        *,
        processors: ProcessorFactory,
        reader: KinesisReader,
        syncer: ShardSyncer,
        config: EngineConfig,
        clock: Callable[[], float],
        wall_clock: Callable[[], dt.datetime],
        random: Random,
        concurrency: Concurrency | None = None,
    ) -> None:
        self.given_up: str | None = None
        self.stop = ShardStop(owned, clock, (concurrency or Threads()).event())
        self._owned = owned
        self._reader = reader
        self._syncer = syncer
        self._wall_clock = wall_clock
        self._lifecycle = ShardLifecycle(owned.key, config)
        lease = owned.lease
        self._polling = PollingReader(owned.key, lease.checkpoint, config, random, lease.done_until)
        self._handled = UnhandledRecords()
        self._checkpoints = ShardCheckpoints(
            owned, lambda reached: self._handled.handled(reached, wall_clock())
        )
        self._processor = processors(owned.key, self.stop)
        self._hash_range = owned.lease.hash_range if config.wrong_shard_aggregates == "discard" else None
        self._observed = _Observed(wall_clock())
        self.lost = False

    @property
    def shard_id(self) -> str:
        """The shard."""
        return self._owned.key

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do here: the shard ended, was released or was lost."""
        return self._lifecycle.state is State.DONE

    @property
    def wake_at(self) -> float:
        """When to send ``Signal.WOKEN`` at the latest, in seconds of the clock; infinite if not by itself."""
        # A moment after the lease has expired, for until then it has not. Once it is lost, the call under way
        # is all that is waited for.
        moments = [math.inf if self._owned.is_lost() else self._owned.expires_at + 0.001]
        if self._lifecycle.wake_at is not None:
            moments.append(self._lifecycle.wake_at)
        if self._polling.wake_at is not None and self._lifecycle.state is State.PROCESSING:
            moments.append(self._polling.wake_at)
        return min(moments)

    def progress(self) -> ShardProgress:
        """Return the shard's progress; from any thread."""
        observed = self._observed
        return ShardProgress(
            shard_id=self._owned.key,
            state=self._lifecycle.state.name,
            state_since=observed.state_since,
            checkpoint=self._owned.lease.checkpoint,
            checkpoint_at=self._handled.moved_at,
            waiting=self._handled.waiting,
            last_read=observed.last_read,
            read_lag_millis=observed.read_lag_millis,
            failure=observed.failure,
            wrong_shard_aggregates=observed.wrong_shard_aggregates,
            corrupt_aggregates=observed.corrupt_aggregates,
            retention_gaps=self._polling.retention_gaps,
            spurious_ends=self._polling.spurious_ends,
            standstill=self._polling.standstill,
            stream_gone=self._polling.stream_gone,
        )

    def on(self, event: ConsumerInput, now: float) -> list[Job]:
        """Take an input and return what has to be done."""
        state = self._lifecycle.state
        jobs = self._on(event, now)
        if self._lifecycle.state is not state:
            self._observed.state_since = self._wall_clock()
        return jobs

    def _on(self, event: ConsumerInput, now: float) -> list[Job]:
        jobs: list[Job] = []
        # Before anything else: a processor that saw its stop signal may have left records undone, so what it
        # returned from must not be followed by the next batch.
        if self.stop.is_set() and not self.is_done:
            lost = self._owned.is_lost()
            if lost:
                self.lost = True
                self.stop.set()  # wakes a processor that sleeps on it
            jobs += self._consume(Signal.LEASE_LOST if lost else Signal.STOP_REQUESTED, now)
        if isinstance(event, _RESPONSES):
            jobs += self._responded(event, now)
        else:
            jobs += self._consume(event, now)
        if self._lifecycle.state is State.PROCESSING:
            jobs += self._requested(self._polling.proceed(now))
        return jobs

    def _responded(self, response: RetrievalResponse, now: float) -> list[Job]:
        if isinstance(response, Read):
            self._observed.last_read = self._wall_clock()
            self._observed.read_lag_millis = response.millis_behind_latest
            self._observed.failure = None
            self._handled.read(response.deaggregated.records, self._observed.last_read)
            self._observed.wrong_shard_aggregates += response.deaggregated.wrong_shard_aggregates
            self._observed.corrupt_aggregates += response.deaggregated.corrupt_aggregates
        elif isinstance(response, Refusal) and response is not Refusal.EXPIRED:
            self._observed.failure = f"Kinesis gives no records: {response.name.lower()}"
        batch, request = self._polling.responded(response, now)
        if (moment := self._polling.caught_up_at) is not None and self._all_checkpointed():
            self._owned.caught_up(moment)
        jobs = self._requested(request)
        if batch is not None:
            jobs += self._consume(Fetched(batch), now)
        return jobs

    def _all_checkpointed(self) -> bool:
        return self._polling.position == self._owned.lease.position

    def _consume(self, event: Input, now: float) -> list[Job]:
        jobs: list[Job] = []
        for command in self._lifecycle.on(event, now):
            if command is Action.FETCH:
                jobs += self._requested(self._polling.want(now))
            else:
                jobs.append(Job(Pool.CALL, partial(self._carry_out, command)))
        return jobs

    def _requested(self, request: RetrievalRequest | None) -> list[Job]:
        return [] if request is None else [Job(Pool.READ, partial(self._ask, request))]

    def _ask(self, request: RetrievalRequest) -> ConsumerInput:
        try:
            match request:
                case IssueIterator():
                    return self._reader.issue(self.shard_id, request)
                case ReadRecords():
                    return self._reader.read(self.shard_id, request, self._hash_range)
                case LookUpShard():
                    return self._reader.look_up(self.shard_id)
                case Pin(at):
                    self._owned.begin_at(at)
                    return Pinned()
        except OrderstreamError as error:
            fields = {"shard_id": self.shard_id, "request": str(request)[:80], "error": error}
            logger.warning("request failed", extra=fields)
            return Refusal.UNREACHABLE
        except BaseException:  # whatever ends the thread would leave a shard that is never read again
            logger.exception("read failed unexpectedly", extra={"shard_id": self.shard_id})
            return Refusal.UNREACHABLE

    def _carry_out(self, command: Command) -> ConsumerInput:
        try:
            return Completed(self._outcome_of(command))
        except ShardGivenUpError as error:
            self._give_up(error.reason)
        except OrderstreamError as error:
            fields = {"shard_id": self.shard_id, "command": str(command)[:80], "error": error}
            logger.warning("command failed", extra=fields)
            self._observed.failure = str(error)
        except Exception as error:
            logger.exception("processor raised", extra={"shard_id": self.shard_id})
            self._observed.failure = f"the processor raised {type(error).__name__}: {error}"
        except BaseException as error:
            # It would end the thread, and leave a shard that is renewed and on which nothing happens.
            logger.exception("a call was ended by force", extra={"shard_id": self.shard_id})
            self._give_up(f"a call was ended by force ({type(error).__name__}: {error})")
        return Signal.FAILED

    def _give_up(self, reason: str) -> None:
        logger.error("shard is given up", extra={"shard_id": self.shard_id, "reason": reason})
        self.given_up = reason
        self.stop.set()  # the next input lets the processor checkpoint, and releases the lease

    def _outcome_of(self, command: Command) -> bool:
        match command:
            case Process(batch):
                self._process(batch)
            case RegisterChildren(children):
                self._syncer.register_children(self._owned, children)
            case Action.CHECK_PARENTS:
                return self._syncer.parents_have_ended(self._owned.lease)
            case Action.INITIALIZE:
                self._processor.initialize(InitializationInput(self.shard_id, self._owned.lease.position))
            case Action.END_SHARD:
                with self._checkpoints.during_call(shard_ends=True) as checkpointer:
                    self._processor.shard_ended(checkpointer)
                return self._owned.lease.has_ended
            case Action.REQUEST_SHUTDOWN:
                with self._checkpoints.during_call(shuts_down=True) as checkpointer:
                    self._processor.shutdown_requested(checkpointer)
            case Action.RELEASE:
                self._owned.release()
            case Action.NOTIFY_LOSS:
                self._processor.lease_lost()
            case Action.FETCH:
                raise AssertionError("reading is the polling reader's business")
        return True

    def _process(self, batch: RetrievedBatch) -> None:
        if batch.records:
            self._checkpoints.hand_over(batch.records[-1].position)
        with self._checkpoints.during_call() as checkpointer:
            self._processor.process_records(
                ProcessRecordsInput(batch.records, checkpointer, batch.millis_behind_latest, batch.gap)
            )
