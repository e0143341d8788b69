r"""Slots: the units of order.

A slot is a slice of the hash keys with a queue. While a Kinesis record that carries one of its hash keys is
outstanding, the slot is busy and sends nothing more (unless order is given up): so the records of one key
appear in put order, whatever is refused, lost or resharded. Slots are ranges and not shard ids, because a
shard id says nothing about what is still under way from before a split or a merge::

    before the split      [        shard 0        ]      one record in flight with keys x and y
                               x            y
    after it              [ shard 1  ][ shard 2   ]      busy are exactly the slots that x and y fall into

With aggregation a shard is one slot, so that everything bound for it can share an aggregate; without, it is
cut into many, so that different keys need not wait for each other.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from orderstream.kinesis.shard import Shard
from orderstream.kinesis.shard_map import ShardMap
from orderstream.producer.core.aggregator import RUN, Aggregator, Waiting
from orderstream.producer.core.kinesis_record import KinesisRecord, RecordBatch
from orderstream.producer.core.pending import Arrival, PendingRecord

# Looking a key up takes a fifth of the time of hashing it again; the keys take about 10 MB.
_REMEMBERED_KEYS = 50_000


class Slot:
    """A slice of one shard's hash keys, with the records that wait to go there.

    Args:
        start: The first hash key of the slice.
        shard_id: The shard that contains it.
        aggregator: Packs what waits.

    Attributes:
        queue: What waits, the oldest record of each key first.
        queued_bytes: What its user records take from the buffer, in bytes.
        arrived: User records that were just put, to be packed in a moment.
        outstanding: Kinesis records under way that carry hash keys of this slice.
        failures: How many attempts in a row have failed.
        not_before: When it may be tried again, in seconds.
        wake_at: When it will next be looked at, in seconds; None if nothing is planned.
    """

    __slots__ = (
        "_aggregator",
        "arrived",
        "failures",
        "not_before",
        "outstanding",
        "queue",
        "queued_bytes",
        "shard_id",
        "start",
        "wake_at",
    )

    def __init__(self, start: int, shard_id: str, aggregator: Aggregator) -> None:
        self.start = start
        self.shard_id = shard_id
        self._aggregator = aggregator
        self.queue: Waiting = deque()
        self.queued_bytes = 0
        self.arrived: list[PendingRecord] = []
        self.outstanding: set[KinesisRecord] = set()
        self.failures = 0
        self.not_before = 0.0
        self.wake_at: float | None = None

    def user_records(self) -> list[PendingRecord]:
        """Return what waits, record by record."""
        return [record for waiting in self.queue for record in waiting.user_records]

    def pack_arrived(self) -> None:
        """Queue what was just put behind all others."""
        records, self.arrived = self.arrived, []
        self.extend(records)

    def extend(self, records: Sequence[PendingRecord]) -> None:
        """Queue records behind all others."""
        self.queued_bytes += self._aggregator.extend(self.queue, records, self.queued_bytes)

    def put_back(self, record: KinesisRecord) -> None:
        """Queue a Kinesis record as it is before all others."""
        self.queue.appendleft(record)
        self.queued_bytes += record.user_bytes

    def put_back_opened(self, records: Sequence[PendingRecord]) -> None:
        """Queue user records before all others."""
        self.queued_bytes += self._aggregator.put_back(self.queue, records)

    def take(self, map_version: int) -> KinesisRecord:
        """Take the first Kinesis record out.

        Args:
            map_version: The shard map in force.
        """
        waiting = self.queue.popleft()
        self.queued_bytes -= waiting.user_bytes
        record = waiting.seal() if isinstance(waiting, RecordBatch) else waiting
        record.shard_id, record.map_version = self.shard_id, map_version
        return record

    def take_out(self, wanted: Callable[[PendingRecord], bool]) -> list[PendingRecord]:
        """Take out the records that are wanted; the rest keeps its order."""
        taken: list[PendingRecord] = []
        kept: Waiting = deque()
        for waiting in self.queue:
            found = list(filter(wanted, waiting.user_records))
            if found:
                taken += found
                rest = [record for record in waiting.user_records if not wanted(record)]
                self._aggregator.extend(kept, rest, 0)
            else:
                kept.append(waiting)
        self.queue = kept
        self.queued_bytes -= sum(record.size for record in taken)
        return taken


class SlotTable:
    """All slots of a stream, cut from a shard map.

    Args:
        shard_map: The open shards.
        slots_per_shard: Into how many slices each is cut.
        aggregator: Packs what waits in them.
    """

    def __init__(self, shard_map: ShardMap, slots_per_shard: int, aggregator: Aggregator) -> None:
        self._slots = [slot for shard in shard_map.open for slot in _cut(shard, slots_per_shard, aggregator)]
        self._starts = [slot.start for slot in self._slots]
        self._aggregator = aggregator
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
        """Make the slots of an outstanding Kinesis record busy.

        Args:
            record: The Kinesis record.
            slot: The one slot it was taken from; without it, its user records determine which slots they fall
                into.
        """
        slots = dict.fromkeys([slot] if slot else map(self.slot_for, record.user_records))
        self._busy[record] = slots
        for each in slots:
            each.outstanding.add(record)

    def release(self, record: KinesisRecord) -> dict[Slot, None]:
        """Free the slots of a Kinesis record and return them."""
        slots = self._busy.pop(record)
        for slot in slots:
            slot.outstanding.remove(record)
        return slots

    def put_back(self, record: KinesisRecord) -> None:
        """Queue a Kinesis record before all others: opened, unless it is as good as a new one."""
        slots = self._dealt(record.user_records)
        if len(slots) == 1 and self._aggregator.keeps(record):
            (slot,) = slots
            slot.put_back(record)
        else:
            self.put_back_opened(record.user_records)

    def put_back_opened(self, records: Iterable[PendingRecord]) -> None:
        """Queue user records of a Kinesis record, in put order, before all others."""
        for slot, dealt in self._dealt(records).items():
            slot.put_back_opened(dealt)

    def queued(self) -> list[PendingRecord]:
        """Return all that waits by the order of arrival, each key's in put order."""
        return sorted(
            (record for slot in self._slots for record in slot.user_records()),
            key=lambda record: record.arrival.number,
        )

    def extend(self, records: Iterable[PendingRecord]) -> None:
        """Queue records that were put long ago, each in the slot it falls into."""
        for slot, dealt in self._dealt(records).items():
            slot.extend(dealt)

    def enter(self, records: Sequence[PendingRecord], arrival: Arrival) -> dict[Slot, None]:
        """Queue records that were just put, each in the slot it falls into.

        Args:
            records: The records, in put order.
            arrival: Theirs.

        Returns:
            The slots that got something, in the order in which they first did.
        """
        entered: dict[Slot, None] = {}
        slot_of = self._by_key.get
        for start in range(0, len(records), RUN):
            slots: list[Slot] = []
            for record in records[start : start + RUN]:
                # The way of nearly every record, spelled out: it is taken half a million times a second.
                record.arrival = arrival
                slot = slot_of(record.partition_key) if record.explicit_hash_key is None else None
                if slot is None:
                    slot = self.slot_for(record)
                arrived = slot.arrived
                if not arrived:
                    slots.append(slot)
                arrived.append(record)
            for slot in slots:
                slot.pack_arrived()
            entered.update(dict.fromkeys(slots))
        return entered

    def _dealt(self, records: Iterable[PendingRecord]) -> dict[Slot, list[PendingRecord]]:
        """Return the slots that records fall into, each with its own, in their order."""
        parts: dict[Slot, list[PendingRecord]] = defaultdict(list)
        for record in records:
            parts[self.slot_for(record)].append(record)
        return parts


def _cut(shard: Shard, pieces: int, aggregator: Aggregator) -> Iterator[Slot]:
    start, end = shard.hash_range
    width = end - start + 1
    pieces = min(pieces, width)
    return (Slot(start + width * piece // pieces, shard.shard_id, aggregator) for piece in range(pieces))
