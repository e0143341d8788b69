"""The checkpointer that a processor is handed: good for one call, and never beyond what was handed over."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orderstream_consumer.engines.embedded.leases import OwnedLease
from orderstream_consumer.processing.checkpoint_rule import checkpoint_to_write
from orderstream_consumer.processing.errors import CheckpointRefusedError
from orderstream_consumer.processing.record import Checkpoint, Position

logger = logging.getLogger(__name__)


class ShardCheckpoints:
    """Makes the checkpointers of one shard, one for each call of its processor.

    Args:
        owned: The shard's lease.
        advanced: Called with each checkpoint that was written.
    """

    def __init__(self, owned: OwnedLease, advanced: Callable[[Checkpoint], object] = lambda _: None) -> None:
        self._owned = owned
        self._advanced = advanced
        self._handed_over = self._returned = owned.lease.position

    def hand_over(self, position: Position) -> None:
        """Allow checkpoints up to a position: the processor is about to get the record there."""
        if self._handed_over is None or position > self._handed_over:
            self._handed_over = position

    @contextmanager
    def during_call(
        self, *, shard_ends: bool = False, shuts_down: bool = False
    ) -> Iterator["CallCheckpointer"]:
        """Give a checkpointer that is good while the body runs.

        Args:
            shard_ends: Whether a checkpoint without a position means SHARD_END.
            shuts_down: Whether it means the end of the last call that returned: one that raised has done
                nothing for sure, and no retry of it will come.
        """
        whole = self._returned if shuts_down else self._handed_over
        checkpointer = CallCheckpointer(
            self._owned, self._handed_over, whole, self._advanced, shard_ends=shard_ends
        )
        try:
            yield checkpointer
            self._returned = self._handed_over
        finally:
            checkpointer.close()


class CallCheckpointer:
    """Implements ``processor.Checkpointer`` for one call.

    Args:
        owned: The shard's lease.
        limit: The last position that was handed over, or None if none ever was.
        whole: The position that a checkpoint without one means, or None if it means nothing.
        advanced: Called with each checkpoint that was written.
        shard_ends: Whether a checkpoint without a position means SHARD_END.
    """

    def __init__(
        self,
        owned: OwnedLease,
        limit: Position | None,
        whole: Position | None,
        advanced: Callable[[Checkpoint], object],
        *,
        shard_ends: bool,
    ) -> None:
        self._owned = owned
        self._limit = limit
        self._whole = whole
        self._advanced = advanced
        self._shard_ends = shard_ends
        self._is_open = True

    def close(self) -> None:
        """Take no more checkpoints: the call has returned."""
        self._is_open = False

    def checkpoint(self, position: Position | None = None) -> None:
        """See ``processor.Checkpointer.checkpoint``.

        A position before the present checkpoint changes nothing.

        Raises:
            CheckpointRefusedError: The call has returned, or the position was never handed over.
        """
        shard_id = self._owned.key
        if not self._is_open:
            raise CheckpointRefusedError(shard_id, "the call that it was handed to has returned")
        wanted = checkpoint_to_write(
            shard_id,
            position,
            whole=self._whole,
            handed_over=self._limit,
            present=self._owned.lease.checkpoint,
            shard_ends=self._shard_ends,
        )
        if wanted is None:
            logger.debug("checkpoint does not advance", extra={"shard_id": shard_id})
            return
        self._owned.checkpoint(wanted)
        self._advanced(wanted)

    def confirm_lease(self) -> None:
        """See ``processor.Checkpointer.confirm_lease``."""
        if not self._is_open:
            raise CheckpointRefusedError(self._owned.key, "the call that it was handed to has returned")
        self._owned.confirm()
