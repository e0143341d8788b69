r"""Archives one shard: collect, write one object, checkpoint.

::

    records ──> buffer ──full, due or the end──> put if absent ──stored──────────────> checkpoint its end
                   ^                                  │
                   └──drop what it covers <── checkpoint its ``to`` <── there already ─┘

An object's name is the position of its first record, and every object begins where the one before ends. So
every reader of the shard, after a crash, as a zombie or under another engine, derives the same names: it
writes the object or goes on behind it. That needs every checkpoint to be the end of an object; where there is
no checkpoint, or the stream has lost the record that it names, the archive itself is asked where to go on.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from orderstream.errors import DependencyError
from orderstream_consumer.delivery import Breaker, DeliveryTally, ShardWork
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_consumer.processing.record import DeliveredRecord, RetentionGap
from orderstream_workers.services.archiver.anchor import object_before
from orderstream_workers.services.archiver.buffer import ArchiveConfig, Buffer
from orderstream_workers.services.archiver.names import (
    FROM,
    GAP,
    LOST,
    POSSIBLE,
    PREVIOUS,
    TO,
    format_position,
    object_key,
    parse_position,
)
from orderstream_workers.services.archiver.objects import ObjectStore
from orderstream_workers.services.archiver.parquet import encode_records, readable

if TYPE_CHECKING:
    from orderstream_consumer.processing.record import Position

logger = logging.getLogger(__name__)


class ArchiverProcessor(ShardWork):
    """Writes the records of one shard into the archive.

    Args:
        objects: The archive.
        stop: Set when work on this shard must end.
        breaker: Holds back tries while the archive fails; shared by all shards of a process.
        tally: Counts ``handled`` (records), ``objects``, ``found`` (objects that were there), ``gaps`` and
            ``retried``.
        config: When an object is written.
        clock: Monotonic seconds.
        spans: Begins the span of an object's records; by default nothing is traced.
    """

    def __init__(
        self,
        *,
        objects: ObjectStore,
        stop: StopSignal,
        breaker: Breaker,
        tally: DeliveryTally,
        config: ArchiveConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
        spans: ProcessSpans = NOT_TRACED,
    ) -> None:
        super().__init__(breaker=breaker, tally=tally, stop=stop)
        self._objects = objects
        self._clock = clock
        self._spans = spans
        self._buffer = Buffer(config or ArchiveConfig())
        self._archived: Position | None = None
        self._handed: Position | None = None
        self._anchored = False
        self._gap: str | None = None
        self._gap_noted: RetentionGap | None = None

    def initialize(self, initialization: InitializationInput) -> None:
        """Begin behind the checkpoint."""
        super().initialize(initialization)
        self._archived = initialization.checkpoint
        self._anchored = initialization.checkpoint is not None

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Collect records, and write objects when it is time; waits for as long as that fails.

        Raises:
            ShardGivenUpError: a checkpoint was refused as a defect.
        """
        self._collect(batch)
        self._say_if_given_up()

    def _collect(self, batch: ProcessRecordsInput) -> None:
        self._note_gap(batch.gap)
        for record in batch.records:
            if not (self._over or self._anchored):
                self._over = not self._until_it_works(partial(self._anchor, record))
            if self._over:
                return
            # A call that has failed is made again with the same records: those before it failed are here.
            if self._handed is None or record.position > self._handed:
                if self._archived is None or record.position > self._archived:
                    self._buffer.add(readable(record), self._clock())
                self._handed = record.position
            while self._buffer.is_full() and not self._over:
                self._over = not self._until_it_works(self._write)
                self._checkpoint_archived(batch.checkpointer)
        while self._buffer.is_due(self._clock()) and not self._over:
            self._over = not self._until_it_works(self._write)
        self._checkpoint_archived(batch.checkpointer)

    def lease_lost(self) -> None:
        """Forget the buffer: the shard's new owner reads those records again."""
        self._buffer.clear()

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Write what is left; then the shard is done."""
        while self._buffer.records and not self._over:
            self._over = not self._until_it_works(self._write)
        super().shard_ended(checkpointer)

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Write what is left, if that works at once, and checkpoint what is written."""
        try:
            while self._buffer.records:
                self._write()
        except DependencyError as error:
            logger.warning("not archived before the end, read again later", extra={"error": error})
            self._buffer.clear()
        self._checkpoint_archived(checkpointer)

    def _note_gap(self, gap: RetentionGap | None) -> None:
        """Close the object before a gap, and mark the one behind it."""
        if gap is None or gap == self._gap_noted:
            return
        while self._buffer.records and not self._over:
            self._over = not self._until_it_works(self._write)
        self._gap_noted, self._gap, self._anchored = gap, LOST, False

    def _anchor(self, record: DeliveredRecord) -> None:
        """Find the object that a record is in, or that it comes after."""
        begun_anew = self._archived is None
        key = object_before(self._objects, record)
        if key is not None:
            end = parse_position(self._objects.metadata(key)[TO])
            assert end is not None, "an object holds at least one record"
            fields = {"key": key, "to": format_position(end), "from": format_position(record.position)}
            if end >= record.position:
                logger.warning("the archive has these records already, it goes on behind them", extra=fields)
                self._archived, self._gap = end, None
            elif begun_anew:
                logger.error("the shard is restarted behind the end of its archive", extra=fields)
                self._archived, self._gap = end, POSSIBLE
        self._anchored = True

    def _write(self) -> None:
        """Write the buffer as one object, or go behind the object that is there already."""
        with self._spans.batch(self._buffer.records):
            self._write_object()

    def _write_object(self) -> None:
        records = self._buffer.records
        key = object_key(records[0])
        last = records[-1].position
        stored = self._objects.put_if_absent(
            key,
            encode_records(records),
            {
                FROM: format_position(records[0].position),
                TO: format_position(last),
                PREVIOUS: format_position(self._archived),
                **({} if self._gap is None else {GAP: self._gap}),
            },
        )
        gap, self._gap = self._gap, None
        if stored:
            if gap is not None:
                self._tally.count("gaps")
                logger.error("the archive has a gap", extra={"key": key, "gap": gap})
            self._archived = last
            self._tally.count("objects")
        else:
            self._archived = parse_position(self._objects.metadata(key)[TO])
            assert self._archived is not None, "an object holds at least one record"
            self._tally.count("found")
            logger.info("object is there already", extra={"key": key, "to": format_position(self._archived)})
        self._buffer.drop(self._archived)
        for _ in range(len(records) - len(self._buffer.records)):
            self._tally.count("handled")

    def _checkpoint_archived(self, checkpointer: Checkpointer) -> None:
        # An object that was there may reach beyond what we were handed, which no engine lets us checkpoint.
        if self._archived is not None and self._handed is not None and self._archived <= self._handed:
            self._checkpoint(self._archived, checkpointer)
