r"""Slots: the units of order.

A slot is a slice of the hash keys with a queue. While a Kinesis record that carries one of its hash keys is
unsettled, the slot is busy and sends nothing more (unless order is given up): so the records of one key
appear in put order, whatever is refused, lost or resharded. Slots are ranges and not shard ids, because a
shard id says nothing about what is still under way from before a split or a merge::

    before the split      [        shard 0        ]      one record in flight with keys x and y
                               x            y
    after it              [ shard 1  ][ shard 2   ]      busy are exactly the slots that x and y fall into

With aggregation a shard is one slot, so that everything bound for it can share an aggregate; without, it is
cut into many, so that different keys need not wait for each other.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator

from orderstream.kpl.pending import KinesisRecord, PendingRecord
from orderstream.kpl.shard_map import Shard, ShardMap


class Slot:
    """A slice of one shard's hash keys, with the records that wait to go there.

    Args:
        start: The first hash key of the slice.
        shard_id: The shard it lies in.

    Attributes:
        queue: What waits, the oldest record of each key first.
        queued_bytes: The size of what waits, in bytes.
        unsettled: Kinesis records under way that carry hash keys of this slice.
        failures: How many attempts in a row have failed.
        not_before: When it may be tried again, in seconds.
        wake_at: When it will next be looked at, in seconds; None if nothing is planned.
    """

    __slots__ = (
        "failures",
        "not_before",
        "queue",
        "queued_bytes",
        "shard_id",
        "start",
        "unsettled",
        "wake_at",
    )

    def __init__(self, start: int, shard_id: str) -> None:
        self.start = start
        self.shard_id = shard_id
        self.queue: deque[PendingRecord] = deque()
        self.queued_bytes = 0
        self.unsettled: set[KinesisRecord] = set()
        self.failures = 0
        self.not_before = 0.0
        self.wake_at: float | None = None

    def append(self, record: PendingRecord) -> None:
        """Add a record behind all others."""
        self.queue.append(record)
        self.queued_bytes += record.size

    def put_back(self, record: PendingRecord) -> None:
        """Add a record before all others."""
        self.queue.appendleft(record)
        self.queued_bytes += record.size

    def pop(self) -> PendingRecord:
        """Take the first record out."""
        record = self.queue.popleft()
        self.queued_bytes -= record.size
        return record


class SlotTable:
    """All slots of a stream, cut from a shard map.

    Args:
        shard_map: The open shards.
        slots_per_shard: Into how many slices each is cut.
    """

    def __init__(self, shard_map: ShardMap, slots_per_shard: int) -> None:
        self._slots = [slot for shard in shard_map.open for slot in _cut(shard, slots_per_shard)]
        self._starts = [slot.start for slot in self._slots]
        self._busy: dict[KinesisRecord, set[Slot]] = {}

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    def slot_for(self, hash_key: int) -> Slot:
        """Return the slot that a hash key falls into."""
        return self._slots[bisect_right(self._starts, hash_key) - 1]

    def occupy(self, record: KinesisRecord, slot: Slot | None = None) -> None:
        """Make the slots of an unsettled Kinesis record busy.

        Args:
            record: The Kinesis record.
            slot: The one slot it was taken from; without it, its user records tell which slots they fall
                into.
        """
        slots = {slot} if slot else {self.slot_for(user.hash_key) for user in record.user_records}
        self._busy[record] = slots
        for each in slots:
            each.unsettled.add(record)

    def release(self, record: KinesisRecord) -> set[Slot]:
        """Free the slots of a Kinesis record and return them."""
        slots = self._busy.pop(record)
        for slot in slots:
            slot.unsettled.remove(record)
        return slots

    def put_back(self, record: KinesisRecord) -> None:
        """Open a Kinesis record and put its user records back before all others, in put order."""
        for user_record in reversed(record.user_records):
            self.slot_for(user_record.hash_key).put_back(user_record)

    def queued(self) -> list[PendingRecord]:
        """Return all that waits, in put order."""
        return sorted(
            (record for slot in self._slots for record in slot.queue), key=lambda record: record.number
        )

    def extend(self, records: Iterable[PendingRecord]) -> None:
        """Queue records, each in the slot it falls into."""
        for record in records:
            self.slot_for(record.hash_key).append(record)


def _cut(shard: Shard, pieces: int) -> Iterator[Slot]:
    start, end = shard.hash_range
    width = end - start + 1
    pieces = min(pieces, width)
    return (Slot(start + width * piece // pieces, shard.shard_id) for piece in range(pieces))
