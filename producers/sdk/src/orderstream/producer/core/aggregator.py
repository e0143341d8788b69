"""Packs user records into batches as they arrive."""

from collections import deque
from collections.abc import Sequence
from operator import attrgetter
from sys import maxsize

from orderstream.aggregation.codec import MAGIC, Body, pack
from orderstream.producer.config import ProducerConfig
from orderstream.producer.core.kinesis_record import AGGREGATE_PARTITION_KEY, KinesisRecord, RecordBatch
from orderstream.producer.core.pending import PendingRecord

Waiting = deque[RecordBatch | KinesisRecord]
"""What waits in a slot. Only a batch at its end still grows."""

# Where much waits, aggregates become larger: up to one part in this many of what waits.
_GROWTH = 4

RUN = 1000
"""So many records go through all steps before the next do, so that the processor's cache holds them."""

_size = attrgetter("size")


class Aggregator:
    """Decides which user records travel together.

    A record is packed in the moment of its arrival and not in that of its departure: it is in the processor's
    cache then, and while its slot waits for a response there is nothing better to do.

    Args:
        config: Sizes and numbers.
    """

    def __init__(self, config: ProducerConfig) -> None:
        self._aggregation = config.aggregation
        # What the stream takes as one record, and what fits into an empty request.
        self._max_bytes = min(
            config.aggregate_max_bytes, config.record_max_bytes, config.collection_max_bytes
        )
        self._target_bytes = min(config.aggregate_target_bytes, self._max_bytes)
        self._max_records = config.aggregate_max_records

    def extend(self, waiting: Waiting, records: Sequence[PendingRecord], waiting_bytes: int) -> int:
        """Pack records behind all that waits in a slot.

        Args:
            waiting: What waits there.
            records: The records, in put order.
            waiting_bytes: The size of what waits so far, in bytes.

        Returns:
            The size of the records, in bytes.
        """
        size: int = sum(map(_size, records))
        if not self._aggregation:
            waiting.extend(map(_alone, records))
            return size
        waiting_bytes += size
        wanted = max(self._target_bytes, waiting_bytes // _GROWTH)
        max_bytes = min(wanted, self._max_bytes) - len(AGGREGATE_PARTITION_KEY)
        for start in range(0, len(records), RUN):
            rest = records[start : start + RUN]
            last = waiting[-1] if waiting else None
            if isinstance(last, RecordBatch) and last.grows:
                rest = self._pack(last, rest, max_bytes)
            while rest:
                batch = RecordBatch(Body())
                left = self._pack(batch, rest, max_bytes)
                if len(left) == len(rest):
                    # Too large for any aggregate.
                    batch, left = _alone(rest[0]), rest[1:]
                waiting.append(batch)
                rest = left
        return size

    def put_back(self, waiting: Waiting, records: Sequence[PendingRecord]) -> int:
        """Pack records before all that waits in a slot; together with it if that is little.

        Args:
            waiting: What waits there.
            records: The records, in put order.

        Returns:
            The size of the records, in bytes.
        """
        packed: Waiting = deque()
        size = self.extend(packed, records, 0)
        head = waiting[0] if waiting else None
        if isinstance(head, RecordBatch) and packed[-1].size + head.size <= self._target_bytes:
            waiting.popleft()
            self.extend(packed, head.user_records, 0)
        waiting.extendleft(reversed(packed))
        return size

    def keeps(self, record: KinesisRecord) -> bool:
        """Whether a Kinesis record that came back is large enough to be sent again as it is."""
        return not self._aggregation or record.size >= self._target_bytes

    def _pack(
        self, batch: RecordBatch, records: Sequence[PendingRecord], max_bytes: int
    ) -> Sequence[PendingRecord]:
        """Put into a batch what fits, and return the rest; close it if there is any, or can never be."""
        assert batch.body is not None
        taken = pack(batch.body, records, max_bytes, self._max_records)
        packed, left = (records, ()) if taken == len(records) else (records[:taken], records[taken:])
        batch.add(packed)
        if left or batch.body.count == self._max_records:
            batch.close()
        return left


def _alone(record: PendingRecord) -> RecordBatch:
    """Make a batch that takes no further record; data that looks like an aggregate is wrapped in one."""
    batch = RecordBatch(None)
    if record.data.startswith(MAGIC):
        batch.body = Body()
        pack(batch.body, (record,), maxsize, 1)
    batch.add((record,))
    return batch
