"""The producer an application holds: a thin shell of threads around the core."""

import atexit
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from random import Random
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orderstream.kpl.buffer import Buffer
from orderstream.kpl.call_threads import CallThreads
from orderstream.kpl.config import ProducerConfig
from orderstream.kpl.delivery import Delivery
from orderstream.kpl.errors import RecordInvalidError, RecordTooLargeError, UnsentRecordsError
from orderstream.kpl.messages import (
    Close,
    Command,
    Flush,
    Input,
    ListShards,
    Put,
    SendPutRecords,
    Settle,
    Tick,
    WakeAt,
)
from orderstream.kpl.outcome import Rejected
from orderstream.kpl.pending import PendingRecord
from orderstream.kpl.pipeline import Pipeline
from orderstream.kpl.sender import Sender, kinesis_client
from orderstream.kpl.user_record import MAX_HASH_KEY, MAX_PARTITION_KEY, UserRecord

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_kinesis.client import KinesisClient

logger = logging.getLogger(__name__)

AT_EXIT_TIMEOUT = 5.0
"""How long the interpreter's exit is held up for a producer that nobody closed, in seconds."""

# An interrupt in the middle of put() may leave a record counted that never arrives.
LAST_PUTS_TIMEOUT = 1.0
"""How long close() waits for puts that were under way when it was called, in seconds."""


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
    """

    def __init__(
        self,
        stream: str,
        *,
        config: ProducerConfig | None = None,
        client: "KinesisClient | None" = None,
        session: "boto3.Session | None" = None,
    ) -> None:
        self._config = config or ProducerConfig()
        self._owned_client: KinesisClient | None = None
        if client is None:
            client = self._owned_client = kinesis_client(self._config, session)
        self._sender = Sender(client, stream)
        self._buffer = Buffer(self._config.buffered_bytes, self._config.when_full)
        self._core = Pipeline(self._config, Random().random)  # noqa: S311 - jitter is no secret
        self._inbox: SimpleQueue[PendingRecord | Input] = SimpleQueue()
        self._threads = CallThreads(self._config.max_in_flight_requests + 1, f"kinesis-{stream}")
        self._wake_at: float | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._unsent: list[UserRecord] = []
        self._given_up = threading.Event()
        self._owner = threading.Thread(target=self._run, name=f"producer-{stream}", daemon=True)
        self._owner.start()
        self._at_exit = partial(_flush_at_exit, self)
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
            RecordTooLargeError: Payload and key are over ``record_max_bytes``.
            RecordInvalidError: Kinesis could not take the key or hash key.
            BufferFullError: There is no room, and ``when_full`` is ``"raise"`` or the caller is a delivery
                callback.
            ProducerClosedError: The producer is closed.
        """
        record = UserRecord(partition_key, data, explicit_hash_key)
        size = self._checked_size(record)
        epoch = self._buffer.acquire(size, may_block=threading.current_thread() is not self._owner)
        delivery = Delivery(record, epoch, size)
        self._inbox.put(PendingRecord(record, size, delivery))
        return delivery

    def put_many(self, records: Iterable[tuple[bytes, str]]) -> list[Delivery]:
        """Hand records over, each a payload and its partition key, in this order.

        Raises:
            OrderstreamError: As ``put`` does; the records before the offending one are on their way.
        """
        return [self.put(data, partition_key) for data, partition_key in records]

    def flush(self, timeout: float | None = None) -> int:
        """Send everything put so far without lingering, and wait for the outcomes.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            How many of these records have no outcome yet; they stay on their way.
        """
        epoch = self._buffer.end_epoch()
        self._inbox.put(Flush())
        return self._buffer.wait_settled(epoch, timeout)

    def close(self, timeout: float | None = None) -> tuple[UserRecord, ...]:
        """Take no more records, flush, and end.

        Args:
            timeout: How long to wait for outcomes, in seconds; None for as long as it takes.

        Returns:
            What was not acknowledged in time, in put order per key. Some of it may have arrived all the same.
            Their deliveries fail.
        """
        with self._closing:
            if not self._closed:
                self._closed = True
                atexit.unregister(self._at_exit)
                self._buffer.close()
                self.flush(timeout)
                self._inbox.put(Close())
                self._given_up.wait()
                self._owner.join(LAST_PUTS_TIMEOUT)
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

    def _checked_size(self, record: UserRecord) -> int:
        if not isinstance(record.data, bytes):
            # The type checker may be off, and a request with one wrong payload would fail as a whole.
            raise RecordInvalidError("data", "bytes")
        if not 1 <= len(record.partition_key) <= MAX_PARTITION_KEY:
            raise RecordInvalidError("partition_key", f"1 to {MAX_PARTITION_KEY} characters long")
        if record.explicit_hash_key is not None and not 0 <= record.explicit_hash_key <= MAX_HASH_KEY:
            raise RecordInvalidError("explicit_hash_key", "0 to 2**128 - 1")
        try:
            size = len(record.data) + len(record.partition_key.encode())
        except UnicodeEncodeError as error:
            raise RecordInvalidError("partition_key", "text that UTF-8 can express") from error
        if size > self._config.record_max_bytes:
            raise RecordTooLargeError(size, self._config.record_max_bytes)
        return size

    # --- the owner thread ---

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            # Only a defect leads here with an error: better to refuse records than to hold them for nothing.
            self._buffer.close()
            self._execute(self._core.on(Close(), monotonic()))
            self._given_up.set()

    def _serve(self) -> None:
        """Run the core until it was told to close and everything has its outcome."""
        self._execute(self._core.on(Tick(), monotonic()))
        closing = False
        # A record whose put was under way when the producer closed arrives behind Close and is settled, too.
        while not (closing and self._buffer.empty):
            for event in self._next_inputs():
                self._execute(self._core.on(event, monotonic()))
                if isinstance(event, Close):
                    closing = True
                    self._given_up.set()

    def _next_inputs(self) -> Iterator[Input]:
        """Wait for inputs, or for the time to wake; yield them with neighbouring puts made one."""
        timeout = None if self._wake_at is None else max(0.0, self._wake_at - monotonic())
        try:
            items = [self._inbox.get(timeout=timeout)]
        except Empty:
            yield Tick()
            return
        # Only this thread takes from the queue, so what it holds now is there to be taken.
        items += [self._inbox.get() for _ in range(self._inbox.qsize())]
        puts: list[PendingRecord] = []
        for item in items:
            if isinstance(item, PendingRecord):
                puts.append(item)
                continue
            if puts:
                yield Put(puts)
                puts = []
            yield item
        if puts:
            yield Put(puts)

    def _execute(self, commands: list[Command]) -> None:
        self._wake_at = None
        for command in commands:
            match command:
                case SendPutRecords():
                    self._threads.submit(partial(self._call, partial(self._sender.put_records, command)))
                case ListShards():
                    self._threads.submit(partial(self._call, self._sender.list_shards))
                case Settle():
                    self._settle(command)
                case WakeAt():
                    self._wake_at = command.at

    def _call(self, call: Callable[[], Input]) -> None:
        self._inbox.put(call())

    def _settle(self, command: Settle) -> None:
        outcome = command.outcome
        if isinstance(outcome, Rejected):
            if outcome.unsent:
                self._unsent += [pending.record for pending in command.records]
            logger.warning(
                "records were not delivered",
                extra={"records": len(command.records), "reason": outcome.reason},
            )
        deliveries: list[Delivery] = []
        for index, pending in enumerate(command.records):
            delivery = pending.token
            assert isinstance(delivery, Delivery)
            delivery.settle(outcome, index, pending.attempts)
            deliveries.append(delivery)
        self._buffer.release((delivery.epoch, delivery.size) for delivery in deliveries)


def _flush_at_exit(producer: Producer) -> None:
    unsent = producer.close(AT_EXIT_TIMEOUT)
    logger.warning("a producer was not closed; it was flushed at exit", extra={"records_lost": len(unsent)})
