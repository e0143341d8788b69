"""A lease that this process holds: its one writer, and the judge of whether it is still ours."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence

from orderstream_consumer.engines.embedded.leases.lease import Lease
from orderstream_consumer.engines.embedded.leases.table import Change, LeaseTable, commit
from orderstream_consumer.processing.concurrency import Concurrency, Threads
from orderstream_consumer.processing.errors import LeaseDeletedError, LeaseLostError
from orderstream_consumer.processing.record import Checkpoint

logger = logging.getLogger(__name__)


class OwnedLease:
    """Holds a lease on behalf of one shard's work. Its methods may be called from any thread.

    Once lost, it stays lost: a processor that was stopped may have left records undone, so the shard must be
    begun again from its checkpoint, under a lease that is taken again.

    Args:
        table: Where the lease is kept.
        lease: The lease, just taken.
        written_at: When the write that took it was sent, in seconds of ``clock``.
        failover_time: Seconds after which others may take it, counted from the sending of the last write.
        clock: Monotonic seconds.
        concurrency: Makes its lock.
    """

    def __init__(
        self,
        table: LeaseTable,
        lease: Lease,
        *,
        written_at: float,
        failover_time: float,
        clock: Callable[[], float],
        concurrency: Concurrency | None = None,
    ) -> None:
        self._table = table
        self._lease = lease
        self._failover_time = failover_time
        self._clock = clock
        self._written_at = written_at
        self._lost_because: str | None = None
        self._done_until: dt.datetime | None = None
        self._writing = (concurrency or Threads()).lock()

    @property
    def lease(self) -> Lease:
        """The lease as we last wrote it."""
        return self._lease

    @property
    def key(self) -> str:
        """The lease's key, which is the shard's id."""
        return self._lease.lease_key

    @property
    def expires_at(self) -> float:
        """When it is lost unless something is written before, in seconds of the clock."""
        return self._written_at + self._failover_time

    def is_lost(self) -> bool:
        """Whether to stop. It needs no other thread, so a process that was suspended notices at once."""
        if self._lost_because is None and self._clock() > self.expires_at:
            self.forfeit(f"not renewed for {self._failover_time} s")
        return self._lost_because is not None

    def forfeit(self, reason: str) -> None:
        """Give it up without a word to the table."""
        if self._lost_because is None:
            self._lost_because = reason
            logger.warning("lease lost", extra={"shard_id": self.key, "reason": reason})

    def renew(self) -> None:
        """Show that we are alive. Does nothing while another write is under way, for that one shows it too.

        Raises:
            LeaseLostError: It is ours no longer.
            DependencyError: The table could not be reached.
        """
        if not self._writing.acquire(blocking=False):
            return
        try:
            moment = self._done_until
            self._write(
                Lease.renewed if moment is None else lambda lease: lease.renewed_as_done_until(moment)
            )
        finally:
            self._writing.release()

    def confirm(self) -> None:
        """Renew it in any case, after whatever write is under way; raises as ``renew`` does."""
        with self._writing:
            self._write(Lease.renewed)

    def caught_up(self, moment: dt.datetime) -> None:
        """Note with the next renewal that every record that arrived before a moment is done."""
        self._done_until = moment

    def begin_at(self, moment: dt.datetime) -> None:
        """Note at once where a shard that begins at its latest record begins; raises as ``renew`` does."""
        with self._writing:
            self._write(lambda lease: lease.renewed_as_done_until(moment))

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Note how far the shard is done; raises as ``renew`` does."""
        with self._writing:
            self._write(lambda lease: lease.checkpointed(checkpoint))

    def register_children(self, leases: Sequence[Lease], children: frozenset[str]) -> None:
        """Create leases for the shards that go on from here, then name those shards in ours.

        The first half of a shard's end, in the order of KCL's ShutdownTask; the checkpoint SHARD_END is the
        second. Nothing is created before a write has shown that the lease is ours: a successor may have ended
        the shard long ago, and the leases may have been deleted since. Raises as ``renew`` does.

        Args:
            leases: The leases to create; those that exist stay as they are.
            children: Ids of the shards that go on from here.
        """
        with self._writing:
            self._write(Lease.renewed)
            for lease in leases:
                self._demand_ours()
                self._table.create_if_absent(lease)
            if children:
                self._write(lambda held: held.with_children(children))

    def release(self) -> None:
        """Leave the shard to others at once; raises as ``renew`` does."""
        with self._writing:
            self._write(Lease.released)
            self._lost_because = "released"

    def _demand_ours(self) -> None:
        if self.is_lost():
            raise LeaseLostError(self.key, self._lost_because or "")

    def _write(self, change: Change) -> None:
        self._demand_ours()
        # Others count from when they see the write, which is later than its sending: so we stop before they
        # start.
        sent_at = self._clock()
        try:
            self._lease = commit(self._table, self._lease, change)
        except LeaseDeletedError:
            self._lease = self._written_again(change(self._lease))
        except LeaseLostError as error:
            self.forfeit(error.reason)
            raise
        self._written_at = sent_at

    def _written_again(self, lease: Lease) -> Lease:
        """Put back a row that was deleted: recreated it would begin at the initial position.

        From TRIM_HORIZON that would repeat the shard, from LATEST it would skip what came in between.
        """
        self._demand_ours()  # a worker deletes the leases of a former stream only once they have no owner
        logger.error("lease was deleted, its owner writes it again", extra={"shard_id": self.key})
        if not self._table.create_if_absent(lease):
            self.forfeit("it was deleted and recreated")
            raise LeaseLostError(self.key, self._lost_because or "")
        return lease
