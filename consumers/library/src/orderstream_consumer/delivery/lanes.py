r"""Lanes: the records of one batch, different keys side by side and one key in order.

A pure machine: it returns what may start, takes what has ended, and knows the low-water mark, which is where
the shard may be checkpointed::

    record      a1    b1    a2    c1    b2
    state       done  runs  done  done  waits for b1
                  ^
                  low-water mark: everything up to here is done
"""

from collections import deque
from collections.abc import Sequence

from orderstream_consumer.processing.record import DeliveredRecord, Position


class Lanes:
    """One batch under way.

    Args:
        records: The batch, in the order of the shard.
        max_lanes: Keys that may run at the same time, at least 1.
        max_lead: Records that may be done beyond the low-water mark, at least 1: a crash repeats them.
    """

    def __init__(self, records: Sequence[DeliveredRecord], max_lanes: int, max_lead: int) -> None:
        self._records = records
        self._max_lanes = max_lanes
        self._max_lead = max_lead
        self._done = [False] * len(records)
        self._low = 0
        self._next = 0
        self._running: set[str] = set()
        self._waiting: dict[str, deque[int]] = {}
        self._free: deque[int] = deque()

    def start(self) -> list[int]:
        """Take the records that may start now, as indexes into the batch."""
        started: list[int] = []
        while len(self._running) < self._max_lanes:
            index = self._take()
            if index is None:
                break
            self._running.add(self._records[index].partition_key)
            started.append(index)
        return started

    def _take(self) -> int | None:
        if self._free:
            return self._free.popleft()
        while self._next < len(self._records) and self._next - self._low < self._max_lead:
            index = self._next
            self._next += 1
            key = self._records[index].partition_key
            if key not in self._running and key not in self._waiting:
                return index
            self._waiting.setdefault(key, deque()).append(index)
        return None

    def end(self, index: int, *, done: bool) -> None:
        """A record that was started has ended.

        Args:
            index: Its index.
            done: False if it was abandoned: it goes back to the head of its lane.
        """
        key = self._records[index].partition_key
        self._running.remove(key)
        waiting = self._waiting.get(key)
        if not done:
            self._free.appendleft(index)
            return
        self._done[index] = True
        while self._low < len(self._records) and self._done[self._low]:
            self._low += 1
        if waiting:
            self._free.append(waiting.popleft())
            if not waiting:
                del self._waiting[key]

    @property
    def running(self) -> int:
        """How many records are under way."""
        return len(self._running)

    @property
    def finished(self) -> bool:
        """True once every record is done."""
        return self._low == len(self._records)

    @property
    def low_water(self) -> Position | None:
        """The position up to which everything is done; None before the first."""
        return self._records[self._low - 1].position if self._low else None
