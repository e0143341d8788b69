"""KCL's five calls: what a processor implements, and what it is handed.

The same processor runs unchanged under the embedded engine and under Amazon's MultiLangDaemon. A checkpoint
is accepted only while one of the calls that carry a checkpointer is being served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orderstream_consumer.processing.record import DeliveredRecord, Position, RetentionGap


class Checkpointer(Protocol):
    """Persists how far a shard has been processed, on behalf of the lease's owner."""

    def checkpoint(self, position: Position | None = None) -> None:
        """Record that everything up to and including a position is done.

        Args:
            position: The last position that is done. None means the end of what this call was handed; in
                ``shard_ended`` it means SHARD_END, in ``shutdown_requested`` the end of the last call that
                returned.

        Raises:
            LeaseLostError: another worker owns the shard now; stop working on it.
            DependencyError: the lease table could not be reached; try again.
        """

    def confirm_lease(self) -> None:
        """Prove that the shard is still ours, before something is done that only its owner may do.

        On the embedded engine the lease is written, on condition that no other worker has taken it. KCL
        offers no such write: there, only a checkpoint that advances proves it, and this does nothing.

        Raises:
            LeaseLostError: another worker owns the shard now; stop working on it.
            DependencyError: the lease table could not be reached; try again.
        """


@dataclass(frozen=True, slots=True)
class InitializationInput:
    """A shard has been assigned to this worker.

    Attributes:
        shard_id: The shard.
        checkpoint: The last position that is done, or None where the shard starts from its initial position.
    """

    shard_id: str
    checkpoint: Position | None


@dataclass(frozen=True, slots=True)
class ProcessRecordsInput:
    """A batch read from the shard, in order.

    Attributes:
        records: User records, possibly none (an empty call lets a processor act on the passage of time).
        checkpointer: Accepts checkpoints until this call returns.
        millis_behind_latest: How far the read position is behind the tip of the shard, in milliseconds.
        gap: What the stream's retention has taken between the last records and these, as far as the
            engine can see it (KCL does not report it); None almost always.
    """

    records: Sequence[DeliveredRecord]
    checkpointer: Checkpointer
    millis_behind_latest: int
    gap: RetentionGap | None = None


class RecordProcessor(Protocol):
    """Processes one shard for as long as this worker owns its lease. Calls never overlap."""

    def initialize(self, initialization: InitializationInput) -> None:
        """Prepare for the shard, before its first records."""

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Process a batch.

        Raises:
            ShardGivenUpError: this process cannot go on with the shard. The embedded engine releases it;
                under KCL the shard's process ends, as after anything that is raised, so nothing is skipped.
        """

    def lease_lost(self) -> None:
        """Stop at once: another worker owns the shard. No checkpoint is possible."""

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Every record of the closed shard was handed over: finish, then checkpoint SHARD_END."""

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """The worker is stopping: abandon what is not started and checkpoint what is done."""


class StopSignal(Protocol):
    """Signals a processor inside a long call to return early.

    ``threading.Event`` satisfies it.
    """

    def is_set(self) -> bool:
        """True once the worker is draining or, on the embedded engine, no longer sure that it owns the lease.

        KCL reports a lost lease to a shard's process between two calls only.
        """

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep for at most ``timeout`` seconds, less if the signal comes."""


class ProcessorFactory(Protocol):
    """Makes a fresh processor for each shard lease."""

    def __call__(self, shard_id: str, stop: StopSignal) -> RecordProcessor:
        """Make the processor of one shard.

        Args:
            shard_id: The shard it will process.
            stop: Set when the worker drains or has not renewed its lease in time: start no new work, publish
                nothing more, return from the current call.
        """
