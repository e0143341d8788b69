"""What lanes and batches have in common: tries, and what becomes of a record that fails by itself."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from orderstream.configuration import ConfigChecks
from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.delivery.breaker import Breaker
from orderstream_consumer.delivery.parking import Parking
from orderstream_consumer.delivery.persistence import wait_out_contention
from orderstream_consumer.delivery.shard_work import ShardWork
from orderstream_consumer.delivery.tally import DeliveryTally
from orderstream_consumer.processing.backoff import Backoff
from orderstream_consumer.processing.errors import ShardGivenUpError
from orderstream_consumer.processing.processor import Checkpointer, InitializationInput, StopSignal
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import ContentionError

logger = logging.getLogger(__name__)

MAX_REASON: Final = 1_000
"""Characters of a reason that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryConfig:
    """How records are delivered.

    Attributes:
        max_lanes: Keys of one shard that are handled at the same time, at least 1. 1 is serial.
        max_lead: Records that may be done beyond the low-water mark, at least 1.
        checkpoint_every: Seconds between checkpoints while a batch is under way, above 0.
        record_retries: Times that a record is tried again after a failure of its own, at least 0.
        record_backoff: The pauses before these tries; None (the default) tries again at once.
        put_aside_as: The event that is counted when a record that fails by itself was put aside.
    """

    max_lanes: int = 8
    max_lead: int = 2_000
    checkpoint_every: float = 2.0
    record_retries: int = 1
    record_backoff: Backoff | None = None
    put_aside_as: str = "parked"

    def __post_init__(self) -> None:
        """Check the ranges."""
        checks = ConfigChecks(self)
        checks.within("max_lanes", 1)
        checks.within("max_lead", 1)
        checks.within("record_retries", 0)
        checks.above_zero("checkpoint_every")


class End(Enum):
    """How the attempts at a record, or at several, ended; a text is the reason of a failure of their own."""

    DONE = auto()
    ABANDONED = auto()


class ShardDelivery(ShardWork):
    """Delivers one shard, record by record or batch by batch: a processor without ``process_records``.

    Args:
        parking: Where records that fail by themselves wait.
        breaker: Holds back tries while a dependency fails; shared by all shards of a process.
        tally: Counts what happens.
        stop: Set when work on this shard must end.
        config: How records are delivered.
    """

    def __init__(
        self,
        *,
        parking: Parking,
        breaker: Breaker,
        tally: DeliveryTally,
        stop: StopSignal,
        config: DeliveryConfig,
    ) -> None:
        # Going on after any failure would skip a record that is stored nowhere: the shard is stuck and
        # says so.
        super().__init__(breaker=breaker, tally=tally, stop=stop, retried=Exception)
        self._parking = parking
        self._config = config

    def initialize(self, initialization: InitializationInput) -> None:
        """Read which keys are parked; waits for as long as that fails."""
        super().initialize(initialization)
        self._over = not self._until_it_works(self._parking.load)

    def lease_lost(self) -> None:
        """Nothing to do: the lanes were drained before the last call returned."""

    def _prove(self, position: Position | None, checkpointer: Checkpointer) -> DependencyError | None:
        """Find out whether the shard is still ours; a shard that is not is over."""
        # Under KCL a checkpoint is all the proof that there is.
        self._checkpoint(position, checkpointer)
        try:
            checkpointer.confirm_lease()
        except DependencyError as error:
            return error
        except OrderstreamError as error:
            self._lose(error)
        return None

    def _tries(self, act: Callable[[], None], about: dict[str, object], retries: int) -> End | str:
        """Do something until it works, without end while a dependency fails.

        Args:
            act: What to do.
            about: Fields of the log lines.
            retries: Times that it is tried again after a failure of its own.

        Returns:
            How it ended; in words, why it fails by itself.
        """
        failures = contentions = 0
        while not self._stopping():
            if pause := self._breaker.pause():
                self._stop.wait(pause)
                continue
            try:
                act()
            except ContentionError as error:
                wait_out_contention(error, contentions, self._stop, self._breaker, self._tally)
                contentions += 1
            except DependencyError as error:
                self._breaker.failed()
                self._tally.retried(str(error))
                logger.warning("a dependency fails, trying again", extra=about | {"error": error})
            except Exception as error:
                self._breaker.succeeded()
                logger.exception("the record itself fails", extra=about)
                if failures >= retries:
                    # Cut: an error may quote what it met, and a mark has to fit into an item.
                    return f"{type(error).__name__}: {error}"[:MAX_REASON]
                if (backoff := self._config.record_backoff) is not None:
                    self._stop.wait(backoff.pause(failures, random.random()))  # noqa: S311 - jitter
                failures += 1
            else:
                self._breaker.succeeded()
                return End.DONE
        self._tally.count("abandoned")
        return End.ABANDONED

    def _put_aside(self, record: DeliveredRecord, reason: str, prove: Callable[[], None]) -> End:
        """Park a record that fails by itself, once the shard is proven to be ours.

        A successor may have carried the record out: what it did must not be held back by us.
        """
        if not self._until_it_works(prove) or self._stopping():
            return End.ABANDONED
        try:
            if not self._until_it_works(lambda: self._parking.park(record, reason)):
                return End.ABANDONED
        except ShardGivenUpError as error:
            self._give_up(error.reason)
            return End.ABANDONED
        self._tally.count(self._config.put_aside_as)
        return End.DONE


def fields_of(record: DeliveredRecord) -> dict[str, object]:
    """What log lines say of a record."""
    return {**record.position_fields(), "partition_key": record.partition_key}
