"""Feeds the read model: serial per shard, one transaction and one checkpoint per batch."""

from orderstream_consumer.delivery import Breaker, DeliveryTally, ShardWork
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.processing.processor import (
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_workers.projections.order_status.writer import ReadModelWriter


class OrderStatusProcessor(ShardWork):
    """Writes the records of one shard into the read model.

    It parks nothing, as what cannot be read is recorded in the read model itself.

    Args:
        writer: The read model.
        stop: Set when work on this shard must end.
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
        super().__init__(breaker=breaker, tally=tally, stop=stop)
        self._writer = writer
        self._spans = spans

    def initialize(self, initialization: InitializationInput) -> None:
        """Make sure that the tables are there; waits for as long as that fails."""
        super().initialize(initialization)
        self._over = not self._until_it_works(self._writer.ensure_schema)

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Apply a batch, then checkpoint its end. The next owner reads an abandoned batch again.

        Raises:
            ShardGivenUpError: a checkpoint was refused as a defect.
        """
        reached = self._reached
        if batch.records and not self._over:
            self._over = not self._until_it_works(lambda: self._apply(batch))
            reached = reached if self._over else batch.records[-1].position
        self._checkpoint(reached, batch.checkpointer)
        self._say_if_given_up()

    def lease_lost(self) -> None:
        """Nothing to do: whatever was applied is committed, and harmless to repeat."""

    def _apply(self, batch: ProcessRecordsInput) -> None:
        with self._spans.batch(batch.records):
            unreadable = self._writer.apply_batch(batch.records)
        for name, count in (("handled", len(batch.records) - unreadable), ("unreadable", unreadable)):
            for _ in range(count):
                self._tally.count(name)
