"""Measures a processor from outside: the same under every engine, whatever the processor does."""

import time
from collections.abc import Callable

from orderstream.observability.metrics import Meter
from orderstream_consumer.processing.metrics import (
    DATA_BYTES_PROCESSED,
    PROCESS_RECORDS_TIME,
    RECORDS_PROCESSED,
)
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessorFactory,
    ProcessRecordsInput,
    RecordProcessor,
    StopSignal,
)


def measured(
    processors: ProcessorFactory, meter: Meter, clock: Callable[[], float] = time.monotonic
) -> ProcessorFactory:
    """Processors that do what others do, and are measured.

    Args:
        processors: Makes the processor of each shard.
        meter: Takes the figures.
        clock: Monotonic seconds.
    """

    def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:
        return _Measured(processors(shard_id, stop), meter, clock)

    return processor


class _Measured:
    """See ``RecordProcessor``."""

    def __init__(self, inner: RecordProcessor, meter: Meter, clock: Callable[[], float]) -> None:
        self._inner = inner
        self._meter = meter
        self._clock = clock

    def initialize(self, initialization: InitializationInput) -> None:
        self._inner.initialize(initialization)

    def process_records(self, batch: ProcessRecordsInput) -> None:
        begun = self._clock()
        try:
            self._inner.process_records(batch)
        finally:
            if batch.records:
                self._meter.record(PROCESS_RECORDS_TIME, (self._clock() - begun) * 1_000)
                self._meter.record(RECORDS_PROCESSED, len(batch.records))
                self._meter.record(DATA_BYTES_PROCESSED, sum(len(record.data) for record in batch.records))

    def lease_lost(self) -> None:
        self._inner.lease_lost()

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        self._inner.shard_ended(checkpointer)

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        self._inner.shutdown_requested(checkpointer)
