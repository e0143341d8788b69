"""What every processor does alike: checkpoints, and the end of work on a shard.

::

    checkpoint ──written──────────────────> on we go
       ├──a dependency fails──────────────> the next one makes up for it
       ├──the lease is lost───────────────> nothing more is begun; the engine knows
       └──refused otherwise (a defect)────> nothing more is begun, and the shard is given up, loudly
"""

import logging
from collections.abc import Callable

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.delivery.breaker import Breaker
from orderstream_consumer.delivery.persistence import until_it_works
from orderstream_consumer.delivery.tally import DeliveryTally
from orderstream_consumer.processing.errors import LeaseLostError, ShardGivenUpError
from orderstream_consumer.processing.processor import Checkpointer, InitializationInput, StopSignal
from orderstream_consumer.processing.record import Position

logger = logging.getLogger(__name__)


class ShardWork:
    """Works on one shard: a processor without ``process_records``.

    Args:
        breaker: Holds back tries while a dependency fails; shared by all shards of a process.
        tally: Counts what happens.
        stop: Set when work on this shard must end.
        retried: The failures that are tried again without end; by default those of a dependency.
    """

    def __init__(
        self,
        *,
        breaker: Breaker,
        tally: DeliveryTally,
        stop: StopSignal,
        retried: type[Exception] = DependencyError,
    ) -> None:
        self._breaker = breaker
        self._tally = tally
        self._stop = stop
        self._retried = retried
        self._reached: Position | None = None
        self._checkpointed: Position | None = None
        self._shard_id = ""
        self._over = False  # once something was abandoned, nothing behind it may be begun
        self._given_up: str | None = None
        self._lost = False

    def initialize(self, initialization: InitializationInput) -> None:
        """Begin behind the checkpoint."""
        self._shard_id = initialization.shard_id
        self._checkpointed = initialization.checkpoint

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Everything is done, or put aside, so the shard is; nothing if something was abandoned."""
        self._until_it_works(lambda: self._end(checkpointer))
        self._say_if_given_up()

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Checkpoint what is done."""
        # If it fails, the next owner repeats what was done since the last one, which the guards allow for.
        self._checkpoint(self._reached, checkpointer)

    def _checkpoint(self, position: Position | None, checkpointer: Checkpointer) -> None:
        self._reached = position or self._reached
        if self._lost or self._reached in {None, self._checkpointed}:
            return
        try:
            checkpointer.checkpoint(self._reached)
        except DependencyError as error:
            # The next call makes up for it, and so does any later checkpoint.
            logger.warning("no checkpoint for now", extra={"error": error})
        except OrderstreamError as error:
            self._lose(error)
        else:
            self._checkpointed = self._reached

    def _end(self, checkpointer: Checkpointer) -> None:
        try:
            checkpointer.checkpoint()
        except DependencyError:
            raise
        except OrderstreamError as error:
            self._lose(error)

    def _lose(self, error: OrderstreamError) -> None:
        logger.warning("checkpoint refused, stopping work on the shard", extra={"error": error})
        self._over = self._lost = True
        if not isinstance(error, LeaseLostError):
            # The engine knows of a lost lease. Of a defect it does not know, and would go on renewing.
            self._give_up(str(error))

    def _give_up(self, reason: str) -> None:
        self._over = True
        self._given_up = self._given_up or reason
        self._tally.count("given_up")

    def _say_if_given_up(self) -> None:
        if self._given_up is not None and not self._stop.is_set():
            raise ShardGivenUpError(self._shard_id, self._given_up)

    def _stopping(self) -> bool:
        return self._over or self._stop.is_set()

    def _until_it_works(self, act: Callable[[], object]) -> bool:
        return until_it_works(
            act,
            stop=self._stop,
            breaker=self._breaker,
            tally=self._tally,
            is_over=lambda: self._over,
            retried=self._retried,
        )
