r"""Delivers whole batches to a handler; what fails by itself is found by halving.

::

    batch ──handled──> done, checkpoint
      │  ^
      │  └── a dependency fails: the same again, without end
      └──fails by itself──> halves, the first one first ──> ... ──> one record ──fails──> put aside

Order is kept: a half is begun when all before it is done or put aside, and records of a key that is parked
are parked behind it before the handler sees what remains.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from orderstream.observability.log_context import log_about, log_scope
from orderstream_consumer.delivery.breaker import Breaker
from orderstream_consumer.delivery.parking import Parking
from orderstream_consumer.delivery.shard_delivery import (
    MAX_REASON,
    DeliveryConfig,
    End,
    ShardDelivery,
    fields_of,
)
from orderstream_consumer.delivery.tally import DeliveryTally
from orderstream_consumer.processing.processor import Checkpointer, ProcessRecordsInput, StopSignal
from orderstream_consumer.processing.record import DeliveredRecord

BatchHandler = Callable[[Sequence[DeliveredRecord]], object]
"""Carries out the records of one shard, in order; returns once their effects are committed.

It may raise ``DependencyError``: the same records are tried again, without end. Whatever else it raises is a
failure of one of the records.
"""


class BatchProcessor(ShardDelivery):
    """Delivers the records of one shard to a handler of batches.

    Args:
        handler: Carries batches out.
        parking: Where records that fail by themselves wait.
        breaker: Holds back tries while a dependency fails; shared by all shards of a process.
        tally: Counts what happens.
        stop: Set when work on this shard must end.
        config: How records are delivered; lanes have no effect. A batch and a single record are tried again
            ``record_retries`` times after a failure of their own, what is between them not at all.
    """

    def __init__(
        self,
        *,
        handler: BatchHandler,
        parking: Parking,
        breaker: Breaker,
        tally: DeliveryTally,
        stop: StopSignal,
        config: DeliveryConfig,
    ) -> None:
        super().__init__(parking=parking, breaker=breaker, tally=tally, stop=stop, config=config)
        self._handler = handler

    def process_records(self, batch: ProcessRecordsInput) -> None:
        """Handle a batch and checkpoint what is done.

        Raises:
            ShardGivenUpError: a call failed, or a checkpoint was refused as a defect.
        """
        try:
            with log_scope():
                if batch.records:
                    log_about(shard_id=batch.records[0].shard_id)
                self._work_through(batch)
        except BaseException as error:
            self._give_up(f"a call failed ({type(error).__name__}: {error})"[:MAX_REASON])
            raise
        self._say_if_given_up()

    def _work_through(self, batch: ProcessRecordsInput) -> None:
        pieces: deque[Sequence[DeliveredRecord]] = deque([batch.records] if batch.records else [])
        while pieces:
            piece = pieces.popleft()
            retries = self._config.record_retries if piece is batch.records or len(piece) == 1 else 0
            ended = self._tries(partial(self._attempt, piece), _fields_of_all(piece), retries)
            if isinstance(ended, str) and len(piece) > 1:
                half = len(piece) // 2
                pieces.extendleft((piece[half:], piece[:half]))
                continue
            if isinstance(ended, str):
                ended = self._put_aside(piece[0], ended, lambda: self._prove_or_raise(batch.checkpointer))
            if ended is End.ABANDONED:
                self._over = True
                break
            self._reached = piece[-1].position
            self._checkpoint(self._reached, batch.checkpointer)
        else:
            self._checkpoint(self._reached, batch.checkpointer)  # makes up for one that failed

    def _attempt(self, records: Sequence[DeliveredRecord]) -> None:
        rest = [record for record in records if not self._waits(record)]
        if rest:
            self._handler(rest)
            for _ in rest:
                self._tally.count("handled")

    def _waits(self, record: DeliveredRecord) -> bool:
        """Park a record behind earlier ones of its key, if there are any."""
        if not self._parking.is_parked(record.partition_key) or not self._parking.append(record):
            return False
        self._tally.count("parked")
        return True

    def _prove_or_raise(self, checkpointer: Checkpointer) -> None:
        if (error := self._prove(self._reached, checkpointer)) is not None:
            raise error


def _fields_of_all(records: Sequence[DeliveredRecord]) -> dict[str, object]:
    if len(records) == 1:
        return fields_of(records[0])
    first, last = (str(records[index].position.sequence_number) for index in (0, -1))
    return {"shard_id": records[0].shard_id, "first": first, "last": last, "records": len(records)}
