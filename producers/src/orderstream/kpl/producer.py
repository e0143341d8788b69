"""The producer an application holds: a thin shell of threads around the core."""

import atexit
import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from random import Random
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from orderstream.kpl.call_threads import CallThreads
from orderstream.kpl.codec import MAGIC
from orderstream.kpl.config import ProducerConfig
from orderstream.kpl.delivery import Delivery, current_generation, in_settling_thread, settle, settling_thread
from orderstream.kpl.errors import (
    RecordInvalidError,
    RecordTooLargeError,
    UnclosedProducerWarning,
    UnsentRecordsError,
    WaitInCallbackError,
)
from orderstream.kpl.forking import watch
from orderstream.kpl.hooks import Interceptor, Partitioner
from orderstream.kpl.inbox import Inbox
from orderstream.kpl.messages import (
    Close,
    Command,
    GiveUp,
    Input,
    ListShards,
    Put,
    SendPutRecords,
    Settle,
    Tick,
    Told,
    WakeAt,
)
from orderstream.kpl.metrics import GuardedMetrics, ProducerMetrics
from orderstream.kpl.outcome import Rejected
from orderstream.kpl.pipeline import Pipeline
from orderstream.kpl.sender import Sender, kinesis_client
from orderstream.kpl.user_record import MAX_HASH_KEY, MAX_PARTITION_KEY, UserRecord

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_kinesis.client import KinesisClient

logger = logging.getLogger(__name__)

AT_EXIT_TIMEOUT = 5.0
"""How long the interpreter's exit is held up for a producer that nobody closed, in seconds."""

WRAPPING = 128
"""What an aggregate around one record takes beside its payload and key, in bytes: at most 93."""

RUN_BYTES = 65_536
"""``put_many`` hands records over at one moment as soon as they reach this size together, in bytes."""


class Producer:
    """Puts records into a Kinesis stream as KPL does; a context manager, for any number of threads.

    Threads: callers, who hand their records over and wait for nothing but room in the buffer; one owner, who
    alone runs the core and settles deliveries; and a few that make calls to Kinesis. They talk through one
    queue.

    Args:
        stream: The stream's name or ARN.
        config: The settings; defaults fit most uses.
        client: A Kinesis client to use instead of building one. Its own retries should be off: they hold back
            records that the producer could send again itself.
        session: A boto3 session to build the client from.
        partitioner: Chooses explicit hash keys for records that are put without one.
        interceptors: See every record on its way in, in this order, and every outcome.
        metrics: Is told what happens.
    """

    def __init__(
        self,
        stream: str,
        *,
        config: ProducerConfig | None = None,
        client: "KinesisClient | None" = None,
        session: "boto3.Session | None" = None,
        partitioner: Partitioner | None = None,
        interceptors: Iterable[Interceptor] = (),
        metrics: ProducerMetrics | None = None,
    ) -> None:
        self._config = config or ProducerConfig()
        self._owned_client: KinesisClient | None = None
        if client is None:
            client = self._owned_client = kinesis_client(self._config, session)
        self._sender = Sender(client, stream)
        self._inbox = Inbox(self._config.buffered_bytes, self._config.when_full)
        self._partitioner = partitioner
        self._interceptors = tuple(interceptors)
        self._hooked = bool(self._interceptors or partitioner)
        guarded = None if metrics is None else GuardedMetrics(metrics)
        self._core = Pipeline(self._config, Random().random, guarded)  # noqa: S311 - jitter is no secret
        self._threads = CallThreads(self._config.max_in_flight_requests + 1, f"kinesis-{stream}")
        self._record_max_bytes = self._config.record_max_bytes
        self._most_to_wrap = self._record_max_bytes - WRAPPING
        self._wake_at: float | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._generation = current_generation()
        self._unsent: list[UserRecord] = []
        self._owner = threading.Thread(target=self._run, name=f"producer-{stream}", daemon=True)
        watch(self)
        self._owner.start()
        self._at_exit = partial(_flush_at_exit, self, stream)
        atexit.register(self._at_exit)

    def put(self, data: bytes, partition_key: str, explicit_hash_key: int | None = None) -> Delivery:
        """Hand a record over.

        Args:
            data: The payload.
            partition_key: The key whose records keep their order: 1 to 256 characters.
            explicit_hash_key: Overrides the hash of the partition key: 0 to 2**128 - 1.

        Returns:
            A handle on the outcome. Nothing needs to be done with it.

        Raises:
            RecordTooLargeError: Payload and key are over ``record_max_bytes``, or are an aggregate that would
                be so with another around it.
            RecordInvalidError: Kinesis could not take the key or hash key.
            BufferFullError: There is no room, and ``when_full`` is ``"raise"`` or the caller is a delivery
                callback.
            ProducerClosedError: The producer is closed.
            ForkedProducerError: The producer belongs to the parent process.
        """
        delivery = self.prepare(data, partition_key, explicit_hash_key)
        self._inbox.put(delivery)
        return delivery

    def prepare(self, data: bytes, partition_key: str, explicit_hash_key: int | None = None) -> Delivery:
        """Do all that ``put`` does before the record is handed over: hooks and checks.

        Raises:
            OrderstreamError: As ``put`` does.
        """
        if self._hooked:
            partition_key, data, explicit_hash_key = self._through_hooks(
                partition_key, data, explicit_hash_key
            )
        if (
            type(data) is bytes
            and type(partition_key) is str
            and explicit_hash_key is None
            and partition_key.isascii()
            and 0 < len(partition_key) <= MAX_PARTITION_KEY
        ):
            # Nearly every record, spared the questions below.
            size = len(data) + len(partition_key)
        else:
            size = _checked_size(data, partition_key, explicit_hash_key)
        if size > self._most_to_wrap and (size > self._record_max_bytes or data.startswith(MAGIC)):
            raise RecordTooLargeError(size, self._record_max_bytes)
        delivery = Delivery(partition_key, data, explicit_hash_key, size)
        if self._generation:
            delivery.generation = self._generation
        return delivery

    def offer(self, delivery: Delivery) -> None:
        """Hand over a record that ``prepare`` made if there is room at once, whatever ``when_full`` says.

        Raises:
            BufferFullError: There is no room.
            OrderstreamError: As ``put`` does.
        """
        self._inbox.put(delivery, may_block=False)

    def when_settled(self, callback: Callable[[], object]) -> None:
        """Call back once, in the producer's own thread, when records have their outcome next.

        There may be room in the buffer then, for one who waits in other ways than ``put``.
        """
        self._inbox.when_settled(callback)

    def put_many(self, records: Iterable[tuple[bytes, str]]) -> list[Delivery]:
        """Hand records over, each a payload and its partition key, in this order.

        It costs less than as many calls of ``put``. Records are handed over at one moment, 64 KiB and the
        record that reaches them at a time: if Kinesis refuses one of them for good, the later ones of its key
        are given up with it and none stands in the stream before it.

        Raises:
            OrderstreamError: As ``put`` does; the records before the offending one are on their way.
        """
        deliveries: list[Delivery] = []
        run: list[Delivery] = []
        size = 0
        usual = not (self._hooked or self._generation)
        prepare, most = self.prepare, self._most_to_wrap
        try:
            for data, partition_key in records:
                if (
                    usual
                    and type(data) is bytes
                    and type(partition_key) is str
                    and partition_key.isascii()
                    and 0 < len(partition_key) <= MAX_PARTITION_KEY
                    and (record_size := len(data) + len(partition_key)) <= most
                ):
                    # What prepare() does with nearly every record, spared the call.
                    delivery = Delivery(partition_key, data, None, record_size)
                    size += record_size
                else:
                    delivery = prepare(data, partition_key)
                    size += delivery.size
                run.append(delivery)
                if size >= RUN_BYTES:
                    deliveries += run
                    whole, whole_size, run, size = run, size, [], 0
                    self._inbox.put_all(whole, whole_size)
        finally:
            self._inbox.put_all(run, size)
        return deliveries + run

    def flush(self, timeout: float | None = None) -> int:
        """Send everything put so far without lingering, and wait for the outcomes.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            How many of these records have no outcome yet; they stay on their way.

        Raises:
            WaitInCallbackError: A delivery callback called it.
            ForkedProducerError: The producer belongs to the parent process.
        """
        if in_settling_thread():
            raise WaitInCallbackError("flush")
        return self._inbox.flush(timeout)

    def close(self, timeout: float | None = None) -> tuple[UserRecord, ...]:
        """Take no more records, flush, and end.

        Args:
            timeout: How long to wait for outcomes, in seconds; None for as long as it takes.

        Returns:
            What was not acknowledged in time, in put order per key. Some of it may have arrived all the same.
            Their deliveries fail. Nothing in a process that was forked later: the records are its parent's.

        Raises:
            WaitInCallbackError: A delivery callback called it.
        """
        if in_settling_thread():
            raise WaitInCallbackError("close")
        with self._closing:
            if not self._closed and self._inbox.in_this_process:
                self._closed = True
                atexit.unregister(self._at_exit)
                self._inbox.close()
                self.flush(timeout)
                self._inbox.tell(Close())
                self._owner.join()
                # A call that is still under way after the deadline ends by its own read timeout.
                self._threads.stop(0.0 if self._unsent else self._config.read_timeout)
                if self._owned_client is not None and not self._unsent:
                    self._owned_client.close()
            return tuple(self._unsent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the producer.

        Raises:
            UnsentRecordsError: Records were not acknowledged within ``close_timeout``, and nothing worse is
                under way.
        """
        unsent = self.close(self._config.close_timeout)
        if unsent and error is None:
            raise UnsentRecordsError(len(unsent), self._config.close_timeout)

    def forked(self) -> None:
        """Refuse everything in a child process that was forked; called there."""
        self._inbox.forked()
        self._closing = threading.Lock()
        atexit.unregister(self._at_exit)

    def _through_hooks(
        self, partition_key: str, data: bytes, explicit_hash_key: int | None
    ) -> tuple[str, bytes, int | None]:
        record = UserRecord(partition_key, data, explicit_hash_key)
        for interceptor in self._interceptors:
            record = interceptor.on_put(record)
        explicit_hash_key = record.explicit_hash_key
        if self._partitioner and explicit_hash_key is None:
            explicit_hash_key = self._partitioner(record)
        return record.partition_key, record.data, explicit_hash_key

    # --- the owner thread ---

    def _run(self) -> None:
        with settling_thread():
            try:
                self._serve()
            finally:
                # Only a defect leads here with records: better to refuse them than to hold them for nothing.
                self._inbox.close()
                records, _ = self._inbox.take(0.0)
                self._execute(self._core.on(Close(), monotonic()))
                self._execute(self._core.on(Put(records), monotonic()))

    def _serve(self) -> None:
        """Run the core until it was told to close; by then every record has its outcome."""
        self._execute(self._core.on(Tick(), monotonic()))
        while True:
            timeout = None if self._wake_at is None else max(0.0, self._wake_at - monotonic())
            records, inputs = self._inbox.take(timeout)
            if records:
                self._execute(self._core.on(Put(records), monotonic()))
            for event in inputs or (() if records else (Tick(),)):
                self._execute(self._core.on(event, monotonic()))
                if isinstance(event, Close):
                    return

    def _execute(self, commands: list[Command]) -> None:
        self._wake_at = None
        commands.reverse()
        while commands:
            # Records are let go of as soon as they are told, while the processor still has them at hand.
            match command := commands.pop():
                case SendPutRecords():
                    self._threads.submit(partial(self._call, partial(self._sender.put_records, command)))
                case ListShards():
                    self._threads.submit(partial(self._call, self._sender.list_shards))
                case Settle():
                    self._settle(command)
                case GiveUp():
                    self._give_up(command)
                case WakeAt():
                    self._wake_at = command.at

    def _call(self, call: Callable[[], Input]) -> None:
        self._inbox.tell(call())

    def _give_up(self, command: GiveUp) -> None:
        late = self._inbox.make_known(command.settles)
        for settle_command in command.settles:
            self._settle(settle_command)
        self._execute(self._core.on(Told(late), monotonic()))

    def _settle(self, command: Settle) -> None:
        outcome = command.outcome
        # What comes out of the core is what went in, and put() makes nothing else.
        deliveries = cast("Sequence[Delivery]", command.records)
        if isinstance(outcome, Rejected):
            if outcome.unsent:
                self._unsent += [delivery.record for delivery in deliveries]
            logger.warning(
                "records were not delivered",
                extra={"records": len(deliveries), "reason": outcome.reason},
            )
        settle(deliveries, command.settlement, outcome)
        self._inbox.settled(deliveries, command.size)
        for interceptor in self._interceptors:
            for delivery in deliveries:
                try:
                    interceptor.on_outcome(delivery)
                except BaseException:
                    # Not even an exit may end this thread.
                    logger.exception("an interceptor failed")


def _checked_size(data: object, partition_key: object, explicit_hash_key: int | None) -> int:
    """Return the size of a record that Kinesis could take, in bytes.

    The type checker may be off, and a request with one wrong record would fail as a whole.

    Raises:
        RecordInvalidError: Kinesis could not take it.
    """
    if not isinstance(data, bytes):
        raise RecordInvalidError("data", "bytes")
    if not isinstance(partition_key, str) or not 1 <= len(partition_key) <= MAX_PARTITION_KEY:
        raise RecordInvalidError("partition_key", f"1 to {MAX_PARTITION_KEY} characters long")
    if explicit_hash_key is not None and not 0 <= explicit_hash_key <= MAX_HASH_KEY:
        raise RecordInvalidError("explicit_hash_key", "0 to 2**128 - 1")
    try:
        return len(data) + len(partition_key.encode())
    except UnicodeEncodeError as error:
        raise RecordInvalidError("partition_key", "text that UTF-8 can express") from error


def _flush_at_exit(producer: Producer, stream: str) -> None:
    lost = len(producer.close(AT_EXIT_TIMEOUT))
    warnings.warn(UnclosedProducerWarning(stream, lost), stacklevel=1)
