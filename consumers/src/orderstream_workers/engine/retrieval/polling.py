"""Reads a shard with GetShardIterator and GetRecords: a state machine without I/O.

::

                    Issued                       Read, shard open
    IDLE ──Wanted──> iterator? ──IssueIterator──> pause ──ReadRecords──> Batch returned, IDLE again
                        ^                           ^        │
                        └── EXPIRED: from where we stand     ├─ THROTTLED, UNREACHABLE: backs off, tries again
                                                    └────────┘
    Read without a next iterator, or a shard that is gone: the batch says ``closed``.

At most one call is under way. Kinesis allows five GetRecords a second on a shard, shared by all its polling
applications ("Quotas and limits", Kinesis developer guide), hence the pauses.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Literal

from orderstream_workers.engine.config import EngineConfig
from orderstream_workers.engine.leases.lease import Checkpoint
from orderstream_workers.engine.record import DeliveredRecord, Position
from orderstream_workers.engine.retrieval.opening import OpenedRecords
from orderstream_workers.engine.shard import Shard

logger = logging.getLogger(__name__)

_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 8.0


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read gave.

    Attributes:
        records: User records, possibly none.
        millis_behind_latest: How far the read is behind the tip of the shard, in milliseconds.
        closed: Whether the shard is closed and this was its last batch.
        children: The shards that go on from a closed one, as far as the answer named them.
    """

    records: tuple[DeliveredRecord, ...]
    millis_behind_latest: int
    closed: bool = False
    children: tuple[Shard, ...] = ()


@dataclass(frozen=True, slots=True)
class IssueIterator:
    """Ask for a shard iterator.

    Attributes:
        kind: Kinesis' ShardIteratorType.
        sequence_number: For the kinds that need one.
        timestamp: For AT_TIMESTAMP.
    """

    kind: Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]
    sequence_number: int | None = None
    timestamp: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """Ask for records.

    Attributes:
        iterator: The shard iterator.
        done: Records up to and including this position are to be left out.
    """

    iterator: str
    done: Position | None


@dataclass(frozen=True, slots=True)
class Issued:
    """The iterator asked for, and when it was, by Kinesis' kind of clock (UTC)."""

    iterator: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Read:
    """The records asked for.

    Attributes:
        opened: The records, opened.
        millis_behind_latest: Kinesis' MillisBehindLatest.
        next_iterator: Where to read on; None, or empty, if the shard is closed and read to its end.
        children: Kinesis' ChildShards.
    """

    opened: OpenedRecords
    millis_behind_latest: int
    next_iterator: str | None
    children: tuple[Shard, ...] = ()


class Refusal(Enum):
    """Why a call to Kinesis gave nothing."""

    EXPIRED = auto()
    """The iterator is older than five minutes."""
    THROTTLED = auto()
    """The shard's limit is used up."""
    GONE = auto()
    """There is no such shard any more."""
    UNREACHABLE = auto()
    """Anything else: an outage, a lost connection."""


Answer = Issued | Read | Refusal
Request = IssueIterator | ReadRecords


class PollingReader:
    """Reads one shard, batch by batch.

    Args:
        shard_id: The shard.
        start: Where to begin.
        config: How to read.
        random: Source of jitter.

    Attributes:
        wake_at: When ``proceed`` should be called again, in seconds of the caller's clock; None if not by
            itself.
        position: The last position that was read, or the one where it began, if that is one.
    """

    def __init__(self, shard_id: str, start: Checkpoint, config: EngineConfig, random: Random) -> None:
        self._shard_id = shard_id
        self._start = start
        self._config = config
        self._random = random
        self._iterator: str | None = None
        self._latest_at: dt.datetime | None = None
        self._last_read: int | None = None
        self._wanted = self._calling = self._closed = False
        self._called_at = float("-inf")
        self._next_call = float("-inf")
        self._refusals = 0
        self.wake_at: float | None = None
        self.position: Position | None = start if isinstance(start, Position) else None

    def want(self, now: float) -> Request | None:
        """Ask for the next batch; ``proceed`` may have to be called for it at ``wake_at``."""
        self._wanted = True
        return self.proceed(now)

    def proceed(self, now: float) -> Request | None:
        """Return the call to make now, if any."""
        self.wake_at = None
        if not self._wanted or self._calling or self._closed:
            return None
        if now < self._next_call:
            self.wake_at = self._next_call
            return None
        self._calling = True
        if self._iterator is None:
            return self._issue()
        self._called_at = now
        return ReadRecords(self._iterator, self._done())

    def answered(self, answer: Answer, now: float) -> tuple[Batch | None, Request | None]:
        """Take the answer to the call under way.

        Returns:
            The batch that was wanted, once it is there, and the call to make next.
        """
        self._calling = False
        if isinstance(answer, Issued):
            self._iterator = answer.iterator
            self._latest_at = self._latest_at or answer.at
            return None, self.proceed(now)
        if isinstance(answer, Read):
            self._refusals = 0
            self._wanted = False
            return self._batch(answer), None
        if answer is Refusal.GONE:
            logger.warning("shard is gone, its retention has passed", extra={"shard_id": self._shard_id})
            self._closed = True
            return Batch((), 0, closed=True), None
        if answer is Refusal.EXPIRED:
            self._iterator = None
            self._next_call = self._called_at + self._config.min_between_reads
        else:
            self._back_off(now)
        return None, self.proceed(now)

    def _issue(self) -> IssueIterator:
        if self._last_read is not None:
            return IssueIterator("AFTER_SEQUENCE_NUMBER", sequence_number=self._last_read)
        if isinstance(self._start, Position):
            # Part of an aggregate may be left to do, so read the record again and leave out what is done.
            return IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=self._start.sequence_number)
        if self._start == "AT_TIMESTAMP":
            return IssueIterator("AT_TIMESTAMP", timestamp=self._config.initial_timestamp)
        if self._start == "LATEST":
            if self._latest_at is None:
                return IssueIterator("LATEST")
            # The tip has moved since, over records that we were to read.
            return IssueIterator("AT_TIMESTAMP", timestamp=self._latest_at)
        return IssueIterator("TRIM_HORIZON")

    def _done(self) -> Position | None:
        return self._start if isinstance(self._start, Position) and self._last_read is None else None

    def _batch(self, read: Read) -> Batch:
        opened = read.opened
        if opened.last_sequence_number is not None:
            self._last_read = opened.last_sequence_number
        if opened.records:
            self.position = opened.records[-1].position
        self._iterator = read.next_iterator or None
        self._closed = self._iterator is None
        far_behind = read.millis_behind_latest > 1000 * self._config.idle_between_reads
        pause = self._config.min_between_reads
        if not far_behind:
            pause = max(pause, self._config.idle_between_reads)
        self._next_call = self._called_at + pause
        return Batch(opened.records, read.millis_behind_latest, self._closed, read.children)

    def _back_off(self, now: float) -> None:
        pause = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2**self._refusals)
        self._refusals = min(self._refusals + 1, 10)
        self._next_call = now + pause * self._random.uniform(0.5, 1.0)
