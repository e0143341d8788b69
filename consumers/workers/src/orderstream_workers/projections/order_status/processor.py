"""Feeds the read model: serial per shard, one transaction and one checkpoint per batch."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from orderstream.errors import OrderstreamError
from orderstream_consumer.delivery import Breaker, DeliveryTally, until_it_works
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_workers.projections.order_status.writer import ReadModelWriter

if TYPE_CHECKING:
    from orderstream_consumer.processing.record import Position

logger = logging.getLogger(__name__)


class OrderStatusProcessor:
    """Writes the records of one shard into the read model.

    Args:
        writer: The read model.
        stop: Set when this shard must come to an end.
        breaker: Holds back tries while the database fails; shared by all shards of a process.
        tally: Counts ``handled``, ``unreadable`` and ``retried``.
        spans: Begins the span of a batch; by default nothing is traced.
    """

    def __init__(
        self,
        *,
        writer: ReadModelWriter,
        stop: StopSignal,
        breaker: Breaker,
        tally: DeliveryTally,
        spans: ProcessSpans = NOT_TRACED,
    ) -> None:
        self._writer = writer
        self._stop = stop
        self._breaker = breaker
        self._tally = tally
        self._spans = spans
        self._done: Position | None = None
        self._checkpointed: Position | None = None
        self._abandoned = False

    def initialize(self, initialization: InitializationInput) -> None:
        """Make sure that the tables are there; waits for as long as that fails."""
        self._done = self._checkpointed = initialization.checkpoint
        self._until_it_works(self._writer.ensure_schema)

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Apply a batch, then checkpoint its end. The next owner reads an abandoned batch again."""
        if batch.records and not self._abandoned:
            if not self._until_it_works(lambda: self._apply(batch)):
                self._abandoned = True
                return
            self._done = batch.records[-1].position
        self._checkpoint(batch.checkpointer)

    def lease_lost(self) -> None:
        """Nothing to do: whatever was applied is committed, and harmless to repeat."""

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Every record is applied, so the shard is done."""
        if not self._abandoned:
            self._until_it_works(checkpointer.checkpoint)

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Checkpoint what is done, if that has failed before."""
        self._checkpoint(checkpointer)

    def _apply(self, batch: ProcessRecordsInput) -> None:
        with self._spans.batch(batch.records):
            unreadable = self._writer.apply_batch(batch.records)
        for name, count in (("handled", len(batch.records) - unreadable), ("unreadable", unreadable)):
            for _ in range(count):
                self._tally.count(name)

    def _checkpoint(self, checkpointer: Checkpointer) -> None:
        if self._done is None or self._done == self._checkpointed:
            return
        try:
            checkpointer.checkpoint(self._done)
        except OrderstreamError:
            # The next call tries again. A lost lease is the engine's own business.
            logger.warning("no checkpoint", exc_info=True)
        else:
            self._checkpointed = self._done

    def _until_it_works(self, act: Callable[[], object]) -> bool:
        return until_it_works(act, stop=self._stop, breaker=self._breaker, tally=self._tally)
