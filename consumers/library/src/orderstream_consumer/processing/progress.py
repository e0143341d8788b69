"""How far a shard is handled, as opposed to read: reading runs ahead of what is done.

A record is handled once the checkpoint covers it. Whatever was read beyond the checkpoint waits, and its age
says how far the shard really is behind. The same measure holds for both engines and for every processor.
"""

import datetime as dt
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orderstream_consumer.processing.record import SHARD_END, Checkpoint, DeliveredRecord, Position

_RECORDS_OF_A_STRETCH: Final = 100
_MOST_STRETCHES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """The oldest record that was read and is not handled.

    Attributes:
        arrived_at: When Kinesis took it, approximately (UTC).
        read_at: When this worker read it (UTC).
    """

    arrived_at: dt.datetime
    read_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ShardProgress:
    """How a shard is doing.

    Attributes:
        shard_id: The shard.
        state: Name of the state in its life.
        state_since: Since when it is in that state (UTC).
        checkpoint: How far it is handled.
        checkpoint_at: When the checkpoint last advanced on this worker (UTC); None before.
        waiting: The oldest record that was read and is not handled; None if there is none.
        last_read: When the shard was last read (UTC), with or without records; None before.
        read_lag_millis: How far that read was behind the tip, in milliseconds; None before.
        failure: What failed last, since something succeeded last; None if nothing did.
        wrong_shard_aggregates: Aggregates discarded since this worker took the shard.
        corrupt_aggregates: Aggregates delivered unopened since then.
        retention_gaps: How often records were gone, by retention, before this worker could read them.
        spurious_ends: Responses that looked like the end of a shard that had not ended.
        standstill: Why the shard cannot be read until a person acts; None as long as nothing is wrong.
        stream_gone: Whether there is no such stream (any more).
    """

    shard_id: str
    state: str
    state_since: dt.datetime
    checkpoint: Checkpoint
    checkpoint_at: dt.datetime | None = None
    waiting: Waiting | None = None
    last_read: dt.datetime | None = None
    read_lag_millis: int | None = None
    failure: str | None = None
    wrong_shard_aggregates: int = 0
    corrupt_aggregates: int = 0
    retention_gaps: int = 0
    spurious_ends: int = 0
    standstill: str | None = None
    stream_gone: bool = False


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A shard that a worker has left to others because it could not go on with it.

    Attributes:
        shard_id: The shard.
        reason: Why.
        at: When (UTC).
    """

    shard_id: str
    reason: str
    at: dt.datetime


@dataclass(slots=True)
class _Stretch:
    last: Position
    oldest: Waiting


class UnhandledRecords:
    """Knows which of the records that were read are not handled yet. Thread-safe.

    It keeps one entry for each hundred records, so a record's age may be that of one read up to a hundred
    records before it: never younger than the truth.

    Attributes:
        moved_at: When the checkpoint last advanced (UTC); None before.
    """

    def __init__(self) -> None:
        self.moved_at: dt.datetime | None = None
        self._stretches: deque[_Stretch] = deque()
        self._lock = threading.Lock()

    def read(self, records: Sequence[DeliveredRecord], now: dt.datetime) -> None:
        """Records were read, in the order of the shard; what was read before changes nothing.

        Args:
            records: The records.
            now: The time (UTC).
        """
        with self._lock:
            known = self._stretches[-1].last if self._stretches else None
            for start in range(0, len(records), _RECORDS_OF_A_STRETCH):
                stretch = records[start : start + _RECORDS_OF_A_STRETCH]
                last = stretch[-1].position
                if known is None or last > known:
                    self._stretches.append(_Stretch(last, Waiting(stretch[0].approximate_arrival, now)))
            if len(self._stretches) > _MOST_STRETCHES:
                self._thin_out()

    def handled(self, checkpoint: Checkpoint, now: dt.datetime) -> None:
        """The checkpoint has advanced.

        Args:
            checkpoint: Where it is now.
            now: The time (UTC).
        """
        with self._lock:
            self.moved_at = now
            if checkpoint == SHARD_END:
                self._stretches.clear()
            elif isinstance(checkpoint, Position):
                while self._stretches and self._stretches[0].last <= checkpoint:
                    self._stretches.popleft()

    @property
    def waiting(self) -> Waiting | None:
        """The oldest record that is not handled."""
        with self._lock:
            return self._stretches[0].oldest if self._stretches else None

    def _thin_out(self) -> None:
        """Join neighbours: a processor that never checkpoints must not fill the memory."""
        stretches = list(self._stretches)
        self._stretches = deque(
            _Stretch(stretches[min(index + 1, len(stretches) - 1)].last, stretches[index].oldest)
            for index in range(0, len(stretches), 2)
        )
