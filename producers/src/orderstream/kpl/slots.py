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

# Looking a key up takes a fifth of the time of hashing it anew; the keys take about 10 MB.
_REMEMBERED_KEYS = 50_000


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

    def pop(self, number: int) -> list[PendingRecord]:
        """Take the first records out."""
        queue = self.queue
        if number == len(queue):
            taken = list(queue)
            queue.clear()
            self.queued_bytes = 0
            return taken
        taken = [queue.popleft() for _ in range(number)]
        self.queued_bytes -= sum([record.size for record in taken])
        return taken

    def take_older(self, put_before: float) -> list[PendingRecord]:
        """Take out what was put at that time or earlier, in seconds; the rest keeps its order."""
        older = [record for record in self.queue if record.put_at <= put_before]
        if older:
            self.queue = deque(record for record in self.queue if record.put_at > put_before)
            self.queued_bytes -= sum(record.size for record in older)
        return older


class SlotTable:
    """All slots of a stream, cut from a shard map.

    Args:
        shard_map: The open shards.
        slots_per_shard: Into how many slices each is cut.
    """

    def __init__(self, shard_map: ShardMap, slots_per_shard: int) -> None:
        self._slots = [slot for shard in shard_map.open for slot in _cut(shard, slots_per_shard)]
        self._starts = [slot.start for slot in self._slots]
        self._by_key: dict[str, Slot] = {}
        self._busy: dict[KinesisRecord, dict[Slot, None]] = {}

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    def slot_for(self, record: PendingRecord) -> Slot:
        """Return the slot that a record falls into."""
        if record.explicit_hash_key is not None:
            return self._slot_at(record.explicit_hash_key)
        slot = self._by_key.get(record.partition_key)
        if slot is None:
            if len(self._by_key) >= _REMEMBERED_KEYS:
                self._by_key.clear()
            slot = self._by_key[record.partition_key] = self._slot_at(record.hash_key)
        return slot

    def _slot_at(self, hash_key: int) -> Slot:
        return self._slots[bisect_right(self._starts, hash_key) - 1]

    def occupy(self, record: KinesisRecord, slot: Slot | None = None) -> None:
        """Make the slots of an unsettled Kinesis record busy.

        Args:
            record: The Kinesis record.
            slot: The one slot it was taken from; without it, its user records tell which slots they fall
                into.
        """
        slots = dict.fromkeys([slot] if slot else map(self.slot_for, record.user_records))
        self._busy[record] = slots
        for each in slots:
            each.unsettled.add(record)

    def release(self, record: KinesisRecord) -> dict[Slot, None]:
        """Free the slots of a Kinesis record and return them."""
        slots = self._busy.pop(record)
        for slot in slots:
            slot.unsettled.remove(record)
        return slots

    def put_back(self, record: KinesisRecord) -> None:
        """Open a Kinesis record and put its user records back before all others, in put order."""
        for user_record in reversed(record.user_records):
            self.slot_for(user_record).put_back(user_record)

    def queued(self) -> list[PendingRecord]:
        """Return all that waits, in put order."""
        return sorted(
            (record for slot in self._slots for record in slot.queue), key=lambda record: record.number
        )

    def extend(self, records: Iterable[PendingRecord]) -> None:
        """Queue records that were put long ago, each in the slot it falls into."""
        for record in records:
            self.slot_for(record).append(record)

    def enter(self, records: Iterable[PendingRecord], number: int, put_at: float) -> dict[Slot, None]:
        """Queue records that were just put, each in the slot it falls into.

        Args:
            records: The records, in put order.
            number: The place of the first in put order.
            put_at: When they were put, in seconds.

        Returns:
            The slots that got something, in the order in which they first did.
        """
        slots: dict[Slot, None] = {}
        slot_of = self._by_key.get
        for record in records:
            # The way of nearly every record, spelled out: it is taken half a million times a second.
            record.number = number
            record.put_at = put_at
            number += 1
            slot = slot_of(record.partition_key) if record.explicit_hash_key is None else None
            if slot is None:
                slot = self.slot_for(record)
            slot.queue.append(record)
            slot.queued_bytes += record.size
            slots[slot] = None
        return slots


def _cut(shard: Shard, pieces: int) -> Iterator[Slot]:
    start, end = shard.hash_range
    width = end - start + 1
    pieces = min(pieces, width)
    return (Slot(start + width * piece // pieces, shard.shard_id) for piece in range(pieces))
