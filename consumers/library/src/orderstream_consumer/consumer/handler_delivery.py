"""Makes the processors of an application from a user's handler; the same under both engines."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orderstream.errors import DependencyError
from orderstream.observability.metrics import AggregatingMeter
from orderstream_consumer.consumer.config import ConsumerConfig
from orderstream_consumer.consumer.errors import RecordFailedError
from orderstream_consumer.consumer.event_loop import EventLoop
from orderstream_consumer.consumer.failures import (
    PARK,
    STOP,
    HandingOverParking,
    OnFailure,
    QueueHandOver,
    StoppingParking,
    is_queue,
)
from orderstream_consumer.delivery import (
    BatchProcessor,
    Breaker,
    DeliveryTally,
    LaneProcessor,
    Parking,
    StoredParking,
)
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.concurrency import ThreadPool
from orderstream_consumer.processing.measured import measured
from orderstream_consumer.processing.metrics import BREAKER_OPEN
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.processing.processor import RecordProcessor, StopSignal
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_consumer.store import Store

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Handler = Callable[[DeliveredRecord], Any]
"""Handles one user record: a function or a coroutine function. What it returns is not looked at."""

BatchHandler = Callable[[Sequence[DeliveredRecord]], Any]
"""Handles records of one shard, in order: a function or a coroutine function."""


class HandlerDelivery:
    """From a handler to processors, with all that they share.

    Args:
        application: The application's name.
        stream: The stream's name.
        handler: Handles single records; None if ``batch_handler`` is given.
        batch_handler: Handles batches.
        on_failure: What becomes of a record that fails by itself.
        config: The consumer's settings.
        store: Where records are parked.
        sqs: Sends to the queue of ``on_failure``.
        failed: Called with the record that ends the consumer.
        breaker: Holds back tries during outages; a new one by default.
        spans: Begins the span of what is handled; by default nothing is traced.

    Attributes:
        meter: Takes what is measured, under the dimension ``Application``.
        processor: Makes the processor of one shard; see ``ProcessorFactory``.
    """

    def __init__(
        self,
        application: str,
        stream: str,
        *,
        handler: Handler | None,
        batch_handler: BatchHandler | None,
        on_failure: OnFailure,
        config: ConsumerConfig,
        store: Store,
        sqs: "SQSClient | None" = None,
        failed: Callable[[RecordFailedError], object] = lambda _: None,
        breaker: Breaker | None = None,
        spans: ProcessSpans = NOT_TRACED,
    ) -> None:
        self._application = application
        self._stream = stream
        self._handler = handler
        self._batch_handler = batch_handler
        self._on_failure = on_failure
        self._outages = config.outages
        self._store = store
        self._sqs = sqs
        self._failed = failed
        self._spans = spans
        self._executor = ThreadPool(config.threads, "handler")
        self._loop = EventLoop()
        self._config = config.delivery_config("parked" if self.parks else "handed_over")
        self._at_work = 0
        self._lock = threading.Lock()
        self.breaker = breaker or Breaker()
        self.meter = AggregatingMeter({"Application": application})
        self.meter.before_collecting(lambda: self.meter.record(BREAKER_OPEN, int(self.breaker.is_open)))
        self.tally = DeliveryTally(meter=self.meter)
        self.processor = measured(self._processor, self.meter)

    @property
    def parks(self) -> bool:
        """Whether records that fail are parked."""
        return self._on_failure == PARK

    def _processor(self, shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG002 - the engine's
        """Make the processor of one shard; see ``ProcessorFactory``."""
        if self._batch_handler is not None:
            return BatchProcessor(
                handler=self.handle_batch,
                parking=self.parking(),
                breaker=self.breaker,
                tally=self.tally,
                stop=stop,
                config=self._config,
            )
        return LaneProcessor(
            handler=self,
            parking=self.parking(),
            executor=self._executor,
            breaker=self.breaker,
            tally=self.tally,
            stop=stop,
            config=self._config,
        )

    def parking(self) -> Parking:
        """Where records that fail go."""
        if self._on_failure == PARK:
            return StoredParking(self._store, self._application, utc_now)
        if self._on_failure == STOP:
            return StoppingParking(self._failed)
        if callable(self._on_failure):
            take = self._on_failure
            return HandingOverParking(lambda record, reason: self._loop.finished(take(record, reason)))
        assert is_queue(self._on_failure)
        assert self._sqs is not None
        return HandingOverParking(QueueHandOver(self._sqs, self._on_failure, self._stream))

    def handle(self, record: DeliveredRecord) -> None:
        """Carry out one record; see ``RecordHandler.handle``."""
        if self._handler is None:
            self.handle_batch([record])
            return
        with self._spans.record(record):
            self._carry_out(self._handler, record)

    def handle_batch(self, records: Sequence[DeliveredRecord]) -> None:
        """Carry out a batch; see ``delivery.BatchHandler``."""
        assert self._batch_handler is not None
        with self._spans.batch(records):
            self._carry_out(self._batch_handler, records)

    def close(self) -> None:
        """End the threads of handlers; one that does not return is left alone."""
        # What is queued sees that its shard is over. A handler that hangs must not hang us.
        self._executor.shutdown(wait=self._at_work == 0)
        self._loop.close()

    def _carry_out(self, handler: Callable[[Any], Any], what: object) -> None:
        with self._lock:
            self._at_work += 1
        try:
            self._loop.finished(handler(what))
        except self._outages as error:
            name = getattr(handler, "__name__", type(handler).__name__)
            raise DependencyError("handler", name, f"{type(error).__name__}: {error}") from error
        finally:
            with self._lock:
                self._at_work -= 1
