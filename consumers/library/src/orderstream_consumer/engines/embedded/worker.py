"""The worker: threads and clocks around the machines.

::

    lease thread ── leases taken ──┐                       ┌── READ pool: GetShardIterator, GetRecords
      renews, takes                ├─> inbox ─> run() ─────┤
    request_shutdown ── a nudge ───┘     ^    the machines └── CALL pool: the processors' calls, checkpoints
                                         └──────────── results ─┘

``run`` owns the machines of all shards. The lease thread is never held up by a processor, and the machines
never by either: they get results through the inbox.
"""

import datetime as dt
import logging
import math
import queue
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from orderstream.errors import OrderstreamError
from orderstream.observability.metrics import Meter, NoMeter
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.leases import LeaseCoordinator, LeaseTable, OwnedLease
from orderstream_consumer.engines.embedded.lifecycle.shard_consumer import (
    ConsumerInput,
    Job,
    Pool,
    ShardConsumer,
)
from orderstream_consumer.engines.embedded.lifecycle.shard_lifecycle import Signal
from orderstream_consumer.engines.embedded.lifecycle.syncer import ShardSyncer
from orderstream_consumer.engines.embedded.retrieval import KinesisReader
from orderstream_consumer.engines.embedded.wake_ups import WakeUps
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.concurrency import Concurrency, Executor, Mailbox, Thread, Threads
from orderstream_consumer.processing.metrics import LOST_LEASES, NUM_WORKERS
from orderstream_consumer.processing.processor import ProcessorFactory
from orderstream_consumer.processing.progress import GivenUp, ShardProgress

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Result:
    consumer: ShardConsumer
    event: ConsumerInput


@dataclass(frozen=True, slots=True)
class _Synchronized:
    succeeded: bool


@dataclass(frozen=True, slots=True)
class _Crashed:
    error: BaseException


class _Nudge:
    """Look around: leases were looked at, or the worker is to stop."""


_Message = _Result | _Synchronized | _Crashed | _Nudge | OwnedLease


class Worker:
    """One of possibly many workers of an application; together they share the shards of a stream.

    Args:
        application: Name of the application, for the worker's id and the log.
        stream: Name of the stream.
        kinesis: A boto3 Kinesis client, best with botocore's own retries off.
        leases: The application's leases; ``run`` creates the table if need be.
        processors: Makes a processor for each shard that this worker takes.
        config: Settings.
        clock: Monotonic seconds.
        wall_clock: The time, with a zone.
        meter: Takes what is measured.
        random: Source of jitter and of the worker's id; workers must not begin with the same seed.
        concurrency: Makes its threads, pools and queues.

    Attributes:
        worker_id: The owner in the leases: the application's name and a UUID of this run.
        given_up: The shards that it has given up, by id, the last time of each.
        failure: Why the shards could not be compared with the leases the last time; None if they could.
        tells_streams_apart: True: its leases are those of one stream, see ``engines.stream_leases``.
    """

    tells_streams_apart = True

    def __init__(
        self,
        application: str,
        stream: str,
        *,
        kinesis: "KinesisClient",
        leases: LeaseTable,
        processors: ProcessorFactory,
        config: EngineConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], dt.datetime] = utc_now,
        meter: Meter | None = None,
        random: Random | None = None,
        concurrency: Concurrency | None = None,
    ) -> None:
        self._random = random or Random()  # noqa: S311 - jitter needs no secrecy
        self.worker_id = f"{application}:{uuid.UUID(int=self._random.getrandbits(128), version=4)}"
        self._config = config or EngineConfig()
        self._table = leases
        self._processors = processors
        self._clock = clock
        self._wall_clock = wall_clock
        self._concurrency = concurrency or Threads()
        self._meter = meter or NoMeter()
        self._reader = KinesisReader(kinesis, stream, max_records=self._config.max_records, now=wall_clock)
        self._syncer = ShardSyncer(self._reader, leases, self._config.initial_position)
        self._coordinator = LeaseCoordinator(
            leases,
            worker_id=self.worker_id,
            failover_time=self._config.failover_time,
            clock=clock,
            concurrency=self._concurrency,
            meter=self._meter,
        )
        self._inbox: Mailbox[_Message] = self._concurrency.mailbox()
        self._consumers: dict[str, ShardConsumer] = {}
        self._wake_ups: WakeUps[ShardConsumer] = WakeUps()
        self._stopping = self._concurrency.event()
        self._lease_thread: Thread | None = None
        self._lease_thread_ends = self._concurrency.event()
        self._look_at_leases = self._concurrency.event()
        self._next_sync: float | None = None
        self.failure: str | None = None
        self.given_up: dict[str, GivenUp] = {}
        self._pools: dict[Pool, Executor] = {}

    def run(self) -> None:
        """Work until ``request_shutdown``; returns once all shards are released, or the time for it is up.

        Raises:
            Exception: A failure that no retry resolves; leases were left to expire.
        """
        self._pools = {
            Pool.READ: self._concurrency.executor(self._config.io_threads, "kinesis"),
            Pool.CALL: self._concurrency.executor(self._config.call_threads, "processor"),
        }
        logger.info("worker starts", extra={"worker_id": self.worker_id})
        self._synchronize()
        drained = False
        try:
            drained = self._work()
        finally:
            self._end(drained=drained)

    def request_shutdown(self) -> None:
        """Drain: processors come back early, checkpoint what is done, and their leases go to others at once.

        May be called from any thread and from a signal handler, at any time, more than once.
        """
        self._stopping.set()
        self._inbox.put(_Nudge())

    @property
    def started(self) -> bool:
        """Whether it has seen the stream's shards and its leases; from any thread."""
        return self._lease_thread is not None

    @property
    def hole(self) -> str | None:
        """What no lease covers, in words; None if every hash key is covered; from any thread."""
        hole = self._syncer.hole
        return None if hole is None else f"no lease covers the hash keys from {hole.start} to {hole.end}"

    def progress(self) -> tuple[ShardProgress, ...]:
        """Return the progress of each shard of this worker; from any thread."""
        return tuple(consumer.progress() for consumer in list(self._consumers.values()))

    def counters(self) -> Mapping[str, int]:
        """Nothing: it has no processes of its own."""
        return {}

    def _work(self) -> bool:
        """Run the machines; True if all shards were released in time."""
        deadline: float | None = None
        while True:
            now = self._clock()
            if self._stopping.is_set():
                deadline = deadline or now + self._config.shutdown_timeout
                self._stop_consumers()
                if not self._consumers:
                    return True
                if now >= deadline:
                    logger.error("worker does not drain in time", extra={"shards": sorted(self._consumers)})
                    return False
            with suppress(queue.Empty):  # nothing came, something is due
                self._handle(self._inbox.get(timeout=self._pause(now, deadline)))
            self._do_what_is_due()

    def _pause(self, now: float, deadline: float | None) -> float | None:
        moments = [self._wake_ups.first()]
        # A draining worker compares no more: a comparison that is due would keep the loop from ever waiting.
        sync = None if self._stopping.is_set() else self._next_sync
        moments += [moment for moment in (sync, deadline) if moment is not None]
        first = min(moments, default=math.inf)
        return None if first == math.inf else max(0.0, first - now)

    def _handle(self, message: _Message) -> None:
        match message:
            case _Result(consumer, event):
                self._feed(consumer, event)
            case OwnedLease():
                self._begin(message)
            case _Synchronized(succeeded):
                pause = self._config.shard_sync_interval if succeeded else self._config.retry_pause
                self._next_sync = self._clock() + pause
                if succeeded:
                    self._start_lease_thread()
                    self._look_at_leases.set()
            case _Crashed(error):
                raise error
            case _Nudge():
                for consumer in list(self._consumers.values()):
                    if consumer.stop.is_set():
                        self._feed(consumer, Signal.WOKEN)

    def _do_what_is_due(self) -> None:
        now = self._clock()
        for consumer in self._wake_ups.due(now):
            self._feed(consumer, Signal.WOKEN)  # at worst a renewal has moved it, and nothing happens
        if self._next_sync is not None and now >= self._next_sync and not self._stopping.is_set():
            self._synchronize()

    def _begin(self, owned: OwnedLease) -> None:
        consumer = ShardConsumer(
            owned,
            processors=self._processors,
            reader=self._reader,
            syncer=self._syncer,
            config=self._config,
            clock=self._clock,
            wall_clock=self._wall_clock,
            random=self._random,
            concurrency=self._concurrency,
        )
        self._consumers[owned.key] = consumer
        self._feed(consumer, Signal.WOKEN)

    def _stop_consumers(self) -> None:
        for consumer in list(self._consumers.values()):
            if not consumer.stop.is_set():
                consumer.stop.set()
                self._feed(consumer, Signal.WOKEN)

    def _feed(self, consumer: ShardConsumer, event: ConsumerInput) -> None:
        self._run(consumer, consumer.on(event, self._clock()))
        if not consumer.is_done:
            self._wake_ups.note(consumer, consumer.wake_at)
            return
        self._wake_ups.forget(consumer)
        if consumer.lost:
            self._meter.record(LOST_LEASES)
        if self._consumers.get(consumer.shard_id) is consumer:
            del self._consumers[consumer.shard_id]
            if consumer.given_up is not None:
                self.given_up[consumer.shard_id] = GivenUp(
                    consumer.shard_id, consumer.given_up, self._wall_clock()
                )
            self._coordinator.drop(consumer.shard_id)
            self._look_at_leases.set()  # its share of work may have changed, or children are to be had

    def _run(self, consumer: ShardConsumer, jobs: list[Job]) -> None:
        for job in jobs:
            self._pools[job.pool].submit(self._run_job, consumer, job)

    def _run_job(self, consumer: ShardConsumer, job: Job) -> None:
        self._inbox.put(_Result(consumer, job.run()))

    def _synchronize(self) -> None:
        self._next_sync = None
        self._pools[Pool.READ].submit(self._synchronize_now)

    def _synchronize_now(self) -> None:
        succeeded = False
        try:
            if self._lease_thread is None:
                self._table.create_table()
            self._syncer.synchronize()
            succeeded, self.failure = True, None
        except OrderstreamError as error:
            logger.warning("shards not compared with the leases", extra={"error": error})
            self.failure = str(error)
        except BaseException as error:
            logger.exception("comparing shards with leases crashed")
            self._inbox.put(_Crashed(error))
        self._inbox.put(_Synchronized(succeeded))

    def _start_lease_thread(self) -> None:
        if self._lease_thread is None:
            self._lease_thread = self._concurrency.start(self._keep_leases, "leases")

    def _keep_leases(self) -> None:
        look_at = self._clock()
        try:
            while not self._lease_thread_ends.is_set():
                self._coordinator.renew()
                if self._look_at_leases.is_set() or not self._coordinator.alone or self._clock() >= look_at:
                    self._look_at_leases.clear()
                    self._take_leases()
                    look_at = self._clock() + self._config.failover_time
                self._inbox.put(_Nudge())
                self._look_at_leases.wait(self._config.lease_interval)
        except BaseException as error:
            logger.exception("keeping leases crashed")
            self._inbox.put(_Crashed(error))

    def _take_leases(self) -> None:
        if self._stopping.is_set():
            return
        try:
            for owned in self._coordinator.take():
                self._inbox.put(owned)
            self._meter.record(NUM_WORKERS, self._coordinator.workers)
        except OrderstreamError as error:
            logger.warning("leases not read", extra={"error": error})

    def _end(self, *, drained: bool) -> None:
        self._stopping.set()
        for consumer in self._consumers.values():
            consumer.stop.set()
        self._lease_thread_ends.set()
        self._look_at_leases.set()
        if self._lease_thread is not None:
            self._lease_thread.join()
        # Before the pools are waited for: a slow call there would keep others from these leases.
        self._release_late_leases()
        self._coordinator.close()
        for pool in self._pools.values():
            pool.shutdown(wait=drained, cancel_futures=True)
        logger.info("worker ends", extra={"worker_id": self.worker_id, "drained": drained})

    def _release_late_leases(self) -> None:
        """Release what the lease thread took when no thread was left to begin its work."""
        while not self._inbox.empty():
            message = self._inbox.get()
            if isinstance(message, OwnedLease):
                try:
                    message.release()
                except OrderstreamError as error:
                    fields = {"shard_id": message.key, "error": error}
                    logger.warning("lease left to expire", extra=fields)
