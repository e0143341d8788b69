"""Runs a handler over a stream in memory: at once, in order, and without threads afterwards."""

import datetime as dt
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

from orderstream.errors import OrderstreamError
from orderstream.kinesis.shard import HashRange
from orderstream.testing import FakeKinesis
from orderstream_consumer.consumer.config import ConsumerConfig
from orderstream_consumer.consumer.errors import RecordFailedError
from orderstream_consumer.consumer.failures import OnFailure
from orderstream_consumer.consumer.handler_delivery import BatchHandler, Handler, HandlerDelivery
from orderstream_consumer.delivery import Breaker, ParkedRecords
from orderstream_consumer.engines.embedded.retrieval.deaggregation import deaggregate_records
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.errors import ShardGivenUpError
from orderstream_consumer.processing.processor import InitializationInput, ProcessRecordsInput
from orderstream_consumer.processing.record import SHARD_END, Checkpoint, Position
from orderstream_consumer.testing.memory_store import MemoryStore

_APPLICATION: Final = "application"


class NotDeliveredError(OrderstreamError):
    """A handler met an outage that lasted longer than the test waits for it.

    Args:
        shard_id: The shard that is stuck.
        reason: What failed last.
    """

    retryable = True

    def __init__(self, shard_id: str, reason: str | None) -> None:
        self.shard_id = shard_id
        self.reason = reason
        super().__init__(
            f"{shard_id} makes no progress: {reason}; end the outage in the test, then deliver again, or "
            "give deliver() a longer timeout"
        )


class ConsumerFixture:
    """Delivers to a handler what a ``Consumer`` would: deaggregated, keys in order, failures put aside.

    Delivery, retries, ``on_failure`` and checkpoints are the consumer's own. What is not here: other workers,
    leases, threads and the passage of time. Pauses take no time, and one record is handled after the other,
    shard by shard, parents before children. It begins at the oldest record.

    Args:
        handler: As for ``Consumer``.
        batch_handler: As for ``Consumer``.
        on_failure: As for ``Consumer``; not the URL of a queue.
        config: As for ``Consumer``; ``retries``, ``outages`` and ``max_records`` count.
        kinesis: The Kinesis to read; by default a new one.
        stream: The stream's name; made with ``shards`` shards if it is not there.
        shards: Shards of a new stream.

    Attributes:
        kinesis: The Kinesis: put records with ``kinesis.client()`` or with a ``Producer`` of it.
        checkpoints: By shard, how far it is done: a position, or ``"SHARD_END"``.
        handled: How many records the handler has carried out.
    """

    def __init__(
        self,
        handler: Handler | None = None,
        *,
        batch_handler: BatchHandler | None = None,
        on_failure: OnFailure = "park",
        config: ConsumerConfig | None = None,
        kinesis: FakeKinesis | None = None,
        stream: str = "stream",
        shards: int = 1,
    ) -> None:
        self.kinesis = kinesis or FakeKinesis()
        self.checkpoints: dict[str, Checkpoint] = {}
        self.handled = 0
        self._handler = handler
        self._batch_handler = batch_handler
        self._on_failure = on_failure
        # Pauses between the attempts at a record are no outage: they do not count against the timeout.
        self._config = replace(
            config or ConsumerConfig(), lanes=1, threads=1, retry_base_delay=1e-6, retry_max_delay=1e-6
        )
        self._stream = stream
        self._store = MemoryStore()
        client = self.kinesis.client()
        if stream not in client.list_streams()["StreamNames"]:
            client.create_stream(StreamName=stream, ShardCount=shards)

    def put(self, data: bytes, partition_key: str) -> None:
        """Put one record, not aggregated.

        Args:
            data: The payload.
            partition_key: The key whose records keep their order.
        """
        self.kinesis.client().put_record(StreamName=self._stream, Data=data, PartitionKey=partition_key)

    def deliver(self, timeout: float = 60.0) -> int:
        """Deliver everything that was put and is not done, as a consumer that starts does.

        Args:
            timeout: How long outages of the handler's dependencies may last in all, in seconds of a clock
                that only pauses move.

        Returns:
            How many records the handler has carried out meanwhile.

        Raises:
            RecordFailedError: A record failed, and ``on_failure`` is ``"stop"``. No checkpoint passes it.
            NotDeliveredError: An outage lasts. No checkpoint passes the record that meets it.
        """
        time = _Time(timeout)
        failed: list[RecordFailedError] = []
        delivery = self._delivery(time, failed)
        with closing(delivery):
            try:
                for shard in self.kinesis.shards(self._stream):
                    if self.checkpoints.get(shard.shard_id) != SHARD_END:
                        self._deliver_shard(
                            delivery, time, shard.shard_id, shard.hash_range, is_closed=not shard.is_open
                        )
                    if time.is_set():
                        raise NotDeliveredError(shard.shard_id, delivery.tally.failure())
            except ShardGivenUpError as error:
                raise failed[0] if failed else error from None
            finally:
                done = delivery.tally.figures().get("handled", 0)
                self.handled += done
        return done

    def rewind(self) -> None:
        """Forget all checkpoints: the next ``deliver`` delivers everything again, as a crash may."""
        self.checkpoints.clear()

    @property
    def parked(self) -> ParkedRecords:
        """The records that are parked."""
        return ParkedRecords(self._store, _APPLICATION)

    def redrive(self, partition_key: str) -> int:
        """Hand the parked records of a key to the handler, in order; see ``Consumer.redrive``."""
        with closing(self._delivery(_Time(0.0), [])) as delivery:
            return self.parked.redrive(partition_key, delivery)

    def _delivery(self, time: "_Time", failed: list[RecordFailedError]) -> HandlerDelivery:
        return HandlerDelivery(
            _APPLICATION,
            self._stream,
            handler=self._handler,
            batch_handler=self._batch_handler,
            on_failure=self._on_failure,
            config=self._config,
            store=self._store,
            failed=failed.append,
            breaker=Breaker(time.now, lambda: 0.5),
        )

    def _deliver_shard(
        self,
        delivery: HandlerDelivery,
        time: "_Time",
        shard_id: str,
        hash_range: HashRange,
        *,
        is_closed: bool,
    ) -> None:
        done = self.checkpoints.get(shard_id)
        position = done if isinstance(done, Position) else None
        raws: list[dict[str, Any]] = [
            {
                "SequenceNumber": record.sequence_number,
                "PartitionKey": record.partition_key,
                "Data": record.data,
                "ApproximateArrivalTimestamp": dt.datetime.fromtimestamp(record.arrived_at, dt.UTC),
            }
            for record in self.kinesis.records(self._stream, shard_id)
        ]
        deaggregated = deaggregate_records(
            shard_id, raws, done=position, hash_range=hash_range, read_at=utc_now()
        )
        records = deaggregated.records
        processor = delivery.processor(shard_id, time)
        checkpointer = _Checkpointer(self.checkpoints, shard_id)
        processor.initialize(InitializationInput(shard_id, position))
        size = self._config.max_records
        for first in range(0, len(records), size):
            batch = records[first : first + size]
            checkpointer.whole = batch[-1].position
            processor.process_records(ProcessRecordsInput(batch, checkpointer, 0))
        if time.is_set():
            processor.shutdown_requested(checkpointer)
        elif is_closed:
            checkpointer.whole = SHARD_END
            processor.shard_ended(checkpointer)


class _Time:
    """A clock that only pauses move, and the stop signal of shards: set once the timeout has passed."""

    def __init__(self, timeout: float) -> None:
        self._now = 0.0
        self._end = timeout

    def now(self) -> float:
        return self._now

    def is_set(self) -> bool:
        return self._now > self._end

    def wait(self, timeout: float | None = None) -> bool:
        self._now += timeout or 0.0
        return self.is_set()


class _Checkpointer:
    """Notes how far a shard is done; its lease is never lost."""

    def __init__(self, checkpoints: dict[str, Checkpoint], shard_id: str) -> None:
        self.whole: Checkpoint | None = None
        self._checkpoints = checkpoints
        self._shard_id = shard_id

    def checkpoint(self, position: Position | None = None) -> None:
        """See ``Checkpointer.checkpoint``."""
        reached = position or self.whole
        if reached is not None:
            self._checkpoints[self._shard_id] = reached

    def confirm_lease(self) -> None:
        """See ``Checkpointer.confirm_lease``."""
