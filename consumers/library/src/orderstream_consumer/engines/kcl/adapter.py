"""Lets a processor of ours run as a version 3 record processor of ``amazon_kclpy``."""

import datetime as dt
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from orderstream.errors import DependencyError
from orderstream_consumer.processing.checkpoint_rule import checkpoint_to_write
from orderstream_consumer.processing.errors import CheckpointRefusedError, LeaseLostError
from orderstream_consumer.processing.processor import (
    InitializationInput,
    ProcessorFactory,
    ProcessRecordsInput,
)
from orderstream_consumer.processing.progress import ShardProgress, UnhandledRecords
from orderstream_consumer.processing.record import (
    TRIM_HORIZON,
    Checkpoint,
    DeliveredRecord,
    Position,
    possible_key,
)

logger = logging.getLogger(__name__)

_LEASE_LOST: Final = frozenset({"ShutdownException"})
_DEFECT: Final = frozenset({"InvalidStateException", "IllegalArgumentException"})
"""How the daemon responds to a checkpoint, by the names of KCL's exceptions.

Anything else is trouble on the way to the lease table and is tried again: KCL passes on what its SDK throws,
by the name of ``RuntimeException``.
"""

CRASHED: Final = 70
"""Exit status of a shard process whose processor raised (``EX_SOFTWARE``): the daemon ends with it."""


class KclRecord(Protocol):
    """What ``amazon_kclpy.messages.Record`` offers us."""

    sequence_number: str
    sub_sequence_number: int
    partition_key: str | None
    binary_data: bytes
    timestamp_millis: int | None


class KclCheckpointer(Protocol):
    """What ``amazon_kclpy.kcl.Checkpointer`` offers us."""

    def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int | None = None) -> None:
        """Checkpoint at a position, or at the end of what the daemon delivered."""


class MultiLangCheckpointer:
    """Implements ``processor.Checkpointer`` over KCL's, for the calls of one shard.

    Args:
        shard_id: The shard.
        present: The checkpoint from which the shard began, or None.
        advanced: Called with each checkpoint that was written.
    """

    def __init__(
        self,
        shard_id: str,
        present: Position | None,
        advanced: Callable[[Checkpoint], object] = lambda _: None,
    ) -> None:
        self._shard_id = shard_id
        self._advanced = advanced
        self._delegate: KclCheckpointer | None = None
        self._handed_over = present
        self._shard_ends = False
        self.present: Checkpoint = present or TRIM_HORIZON
        self.defect: CheckpointRefusedError | None = None
        """Set once KCL has refused a checkpoint: idling would keep other workers from the shard."""

    def open(
        self, delegate: KclCheckpointer, *, handed_over: Position | None = None, shard_ends: bool = False
    ) -> None:
        """Take checkpoints until ``close``.

        Args:
            delegate: Takes them to the daemon.
            handed_over: The last position of this call, if it has one.
            shard_ends: Whether a checkpoint without a position means SHARD_END.
        """
        self._delegate = delegate
        self._handed_over = handed_over or self._handed_over
        self._shard_ends = shard_ends

    def close(self) -> None:
        """Take no more: the daemon reads checkpoints only while it waits for a call's end."""
        self._delegate = None

    def checkpoint(self, position: Position | None = None) -> None:
        """See ``processor.Checkpointer.checkpoint``.

        A position before the present checkpoint changes nothing.

        Raises:
            CheckpointRefusedError: The call has returned, or the position was never handed over.
        """
        if self._delegate is None:
            raise CheckpointRefusedError(self._shard_id, "the call that it was handed to has returned")
        wanted = checkpoint_to_write(
            self._shard_id,
            position,
            whole=self._handed_over,
            handed_over=self._handed_over,
            present=self.present,
            shard_ends=self._shard_ends,
        )
        if wanted is None:
            return
        self._tell(self._delegate, wanted if isinstance(wanted, Position) else None)
        self.present = wanted
        self._advanced(wanted)

    def confirm_lease(self) -> None:
        """See ``processor.Checkpointer.confirm_lease``: KCL offers no proof besides a checkpoint."""

    def _tell(self, delegate: KclCheckpointer, position: Position | None) -> None:
        from amazon_kclpy.checkpoint_error import CheckpointError  # noqa: PLC0415 - an extra

        try:
            if position is None:
                delegate.checkpoint()
            else:
                delegate.checkpoint(str(position.sequence_number), position.subsequence_number)
        except CheckpointError as error:
            if error.value in _LEASE_LOST:
                raise LeaseLostError(self._shard_id, "KCL says so") from error
            if error.value in _DEFECT:
                self.defect = CheckpointRefusedError(self._shard_id, f"KCL responds with {error.value}")
                raise self.defect from error
            raise DependencyError("kcl", "checkpoint", error.value) from error


class MultiLangProcessor:
    """A version 3 record processor that hands KCL's calls to a processor of ours.

    A processor that raises ends this process: the daemon would take the response for "done", hand over the
    next batch, and skip this one.

    Args:
        processors: Makes our processor once KCL has named the shard.
        stop: Set when the worker drains.
        report: Called with the progress after each call.
        clock: The time (UTC).
        crash: Ends the process at once.
    """

    version = 3

    def __init__(
        self,
        processors: ProcessorFactory,
        stop: threading.Event,
        report: Callable[[ShardProgress], None],
        clock: Callable[[], dt.datetime],
        crash: Callable[[int], Any] = os._exit,
    ) -> None:
        self._processors = processors
        self._stop = stop
        self._report = report
        self._clock = clock
        self._crash = crash
        self._handled = UnhandledRecords()
        self._state = "INITIALIZING"
        self._state_since = clock()
        self._last_read: dt.datetime | None = None
        self._read_lag_millis: int | None = None

    def initialize(self, call: Any) -> None:
        """Make the processor of the shard."""
        with _CrashOnError(self._crash):
            self._shard_id: str = call.shard_id
            checkpoint = _position(call.sequence_number, call.sub_sequence_number)
            self._checkpointer = MultiLangCheckpointer(self._shard_id, checkpoint, self._advanced)
            self._enter("INITIALIZING")
            self._processor = self._processors(self._shard_id, self._stop)
            self._processor.initialize(InitializationInput(self._shard_id, checkpoint))
        self._enter("PROCESSING")

    def process_records(self, call: Any) -> None:
        """Hand over a batch."""
        with _CrashOnError(self._crash):
            records = self._delivered(call.records)
            self._read_lag_millis = call.millis_behind_latest or 0
            self._last_read = self._clock()
            self._handled.read(records, self._last_read)
            # Before the call too: one that does not return must not look like one with nothing to do.
            self._tell()
            last = records[-1].position if records else None
            self._checkpointer.open(call.checkpointer, handed_over=last)
            self._processor.process_records(
                ProcessRecordsInput(records, self._checkpointer, self._read_lag_millis)
            )
            self._checkpointer.close()
            if self._checkpointer.defect is not None:
                raise self._checkpointer.defect
        self._tell()

    def lease_lost(self, call: Any) -> None:  # noqa: ARG002 - KCL's signature
        """Another worker owns the shard."""
        with _CrashOnError(self._crash):
            self._processor.lease_lost()
        self._enter("LEASE_LOST")

    def shard_ended(self, call: Any) -> None:
        """Everything was handed over."""
        with _CrashOnError(self._crash):
            self._enter("ENDING")
            self._checkpointer.open(call.checkpointer, shard_ends=True)
            with self._lease_may_be_lost():
                self._processor.shard_ended(self._checkpointer)
            self._checkpointer.close()
        self._enter("DONE")

    def shutdown_requested(self, call: Any) -> None:
        """The daemon ends, or hands the lease to another worker."""
        with _CrashOnError(self._crash):
            self._enter("STOPPING")
            self._checkpointer.open(call.checkpointer)
            with self._lease_may_be_lost():
                self._processor.shutdown_requested(self._checkpointer)
            self._checkpointer.close()
        self._enter("DONE")

    @contextmanager
    def _lease_may_be_lost(self) -> Iterator[None]:
        """Let a processor's last call end without its checkpoint.

        KCL hands nothing more over after it, so nothing is skipped: it calls again, or another worker owns
        the shard. A crash would take the processes of all other shards along.
        """
        try:
            yield
        except LeaseLostError as error:
            logger.warning("no last checkpoint", extra={"error": error})

    def _delivered(self, records: Sequence[KclRecord]) -> list[DeliveredRecord]:
        return [self._converted(record) for record in records]

    def _converted(self, record: KclRecord) -> DeliveredRecord:
        position = Position(int(record.sequence_number), record.sub_sequence_number or 0)
        arrival = self._clock()
        if record.timestamp_millis is not None:
            # From the milliseconds: the library's own conversion gives local time without a zone.
            arrival = dt.datetime.fromtimestamp(record.timestamp_millis / 1000, dt.UTC)
        return DeliveredRecord(
            shard_id=self._shard_id,
            position=position,
            partition_key=possible_key(record.partition_key or "", position),
            data=record.binary_data,
            approximate_arrival=arrival,
        )

    def _advanced(self, checkpoint: Checkpoint) -> None:
        self._handled.handled(checkpoint, self._clock())
        self._tell()

    def _enter(self, state: str) -> None:
        self._state, self._state_since = state, self._clock()
        self._tell()

    def _tell(self) -> None:
        self._report(
            ShardProgress(
                shard_id=self._shard_id,
                state=self._state,
                state_since=self._state_since,
                checkpoint=self._checkpointer.present,
                checkpoint_at=self._handled.moved_at,
                waiting=self._handled.waiting,
                last_read=self._last_read,
                read_lag_millis=self._read_lag_millis,
                # The daemon deaggregates the records, drops those of a wrong shard, and reports neither.
            )
        )


class _CrashOnError:
    def __init__(self, crash: Callable[[int], Any]) -> None:
        self._crash = crash

    def __enter__(self) -> None:
        """Watch the body."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            logger.critical(
                "the processor raised: this process ends, so that KCL skips nothing", exc_info=error
            )
            self._crash(CRASHED)


def _position(sequence_number: str | None, subsequence_number: int | None) -> Position | None:
    if sequence_number is None or not sequence_number.isdigit():
        return None  # TRIM_HORIZON and the like: nothing is done yet
    return Position(int(sequence_number), subsequence_number or 0)
