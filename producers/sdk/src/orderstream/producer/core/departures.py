"""Which slots send now, and when the others may send.

::

              is busy, or has nothing              may not go yet: lingers, was refused, shard at its limit
    resting <------------------------- candidate ----------------------------------------------> alarm set
       |   a record came, one came back    ^  |                                                      |
       +-----------------------------------+  |          the time has come                           |
                                           ^  +--> sends what is due, record after record            |
                                           +---------------------------------------------------------+
"""

import heapq
from collections.abc import Iterable
from itertools import count
from math import inf

from orderstream.producer.config import ProducerConfig
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.limiter import ShardLimiter
from orderstream.producer.core.slots import Slot, SlotTable


class Departures:
    """Chooses the next request.

    Args:
        config: The settings.
    """

    def __init__(self, config: ProducerConfig) -> None:
        self._config = config
        self._limiter = ShardLimiter(config.records_per_second_per_shard, config.bytes_per_second_per_shard)
        self._candidates: dict[Slot, None] = {}
        self._alarms: list[tuple[float, int, Slot]] = []
        self._ids = count(1)
        self._flushed = 0

    def __bool__(self) -> bool:
        """Whether a slot is to be looked at."""
        return bool(self._candidates)

    @property
    def next_alarm(self) -> float:
        """When a slot is to be looked at next, in seconds; infinite if none waits for a time."""
        return self._alarms[0][0] if self._alarms else inf

    def consider(self, slots: dict[Slot, None]) -> None:
        """Look at slots in which something has changed."""
        self._candidates.update(slots)

    def consider_all(self, slots: Iterable[Slot]) -> None:
        """Look at every slot in which something waits."""
        for slot in slots:
            if slot.queue:
                self._candidates[slot] = None

    def flush(self, arrivals: int) -> None:
        """Let the first so many arrivals linger no longer."""
        self._flushed = arrivals

    def begin_anew(self, shard_ids: set[str]) -> None:
        """Forget every slot: the records were redistributed over these shards."""
        self._candidates, self._alarms = {}, []
        self._limiter.keep_only(shard_ids)

    def ring(self, now: float) -> None:
        """Look again at the slots whose time has come."""
        while self._alarms and self._alarms[0][0] <= now:
            due, _, slot = heapq.heappop(self._alarms)
            if slot.wake_at == due:
                slot.wake_at = None
                self._candidates[slot] = None

    def collect(self, slots: SlotTable, map_version: int, now: float) -> list[KinesisRecord]:
        """Take the records of one request out of their slots.

        Args:
            slots: The slots, which note what is under way.
            map_version: The shard map by which their shards are predicted.
            now: The time, in seconds.

        Returns:
            What goes out, as much as a request holds; empty if nothing may go.
        """
        collector = Collector(self._config.collection_max_records, self._config.collection_max_bytes)
        for slot in list(self._candidates):
            while self._may_send(slot) and self._is_due(slot, now):
                if not collector.takes(slot.queue[0].size):
                    return collector.entries
                record = slot.take(map_version)
                slots.occupy(record, slot)
                self._limiter.take(slot.shard_id, record.size, now)
                collector.add(record)
            del self._candidates[slot]
        return collector.entries

    def _may_send(self, slot: Slot) -> bool:
        return bool(slot.queue) and (not slot.outstanding or self._config.ordering == "none")

    def _is_due(self, slot: Slot, now: float) -> bool:
        due = max(slot.not_before, self._limiter.ready_at(slot.shard_id, now), self._lingers_until(slot))
        if due <= now:
            return True
        if slot.wake_at is None or due < slot.wake_at:
            slot.wake_at = due
            heapq.heappush(self._alarms, (due, next(self._ids), slot))
        return False

    def _lingers_until(self, slot: Slot) -> float:
        waiting = slot.queue[0]
        head = waiting.user_records[0]
        full = slot.queued_bytes >= self._config.aggregate_target_bytes
        full = full or (self._config.aggregation and not waiting.grows)
        if full or head.attempts or head.arrival.number <= self._flushed:
            return 0.0
        return head.arrival.put_at + self._config.linger


class Collector:
    """Fills one PutRecords request up to its limits.

    Args:
        max_records: Entries the request may have.
        max_bytes: Data and partition keys it may carry, in bytes.

    Attributes:
        entries: What it carries so far.
        room: What it can still take, in bytes.
    """

    __slots__ = ("_max_records", "entries", "room")

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self.entries: list[KinesisRecord] = []
        self.room = max_bytes

    def takes(self, size: int) -> bool:
        """Whether one more entry of this many bytes fits; one that is larger than all the room goes alone."""
        return not self.entries or (len(self.entries) < self._max_records and size <= self.room)

    def add(self, record: KinesisRecord) -> None:
        """Add an entry."""
        self.entries.append(record)
        self.room -= record.size
