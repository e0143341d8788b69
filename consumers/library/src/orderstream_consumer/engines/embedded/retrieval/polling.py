"""Reads a shard with GetShardIterator and GetRecords: a state machine without I/O.

::

                    Issued (LATEST: Pin)         Read, shard open
    IDLE ──Wanted──> iterator? ──IssueIterator──> pause ──ReadRecords──> RetrievedBatch returned, IDLE again
                        ^                           ^        │
                        ├── EXPIRED: at the last record read ├─ THROTTLED, UNREACHABLE: backs off, tries again
                        │                           └────────┤
                        │                                    │ in doubt: no next iterator and no children,
                        │           LookedUp                 │ GONE, INVALID_POSITION
                        └────────────────────── LookUpShard <┘

The listing decides what is in doubt, for a shard that is taken for ended is ended for good:

==================== ============= ======================================================================
in doubt             listed        then
==================== ============= ======================================================================
no next iterator     open          read on from the present position: that was an error of Kinesis'
no next iterator     closed        the same; the next such response without records is the end
GONE                 yes           back off, ask again
GONE                 no            closed: its retention has passed
INVALID_POSITION     before start  stops: the checkpoint is another stream's
INVALID_POSITION     past the end  closed: all of it is done
INVALID_POSITION     else          retention has passed it: go on at TRIM_HORIZON, and say what is lost
==================== ============= ======================================================================

At most one call is under way. Kinesis allows five GetRecords a second on a shard, shared by all its polling
applications ("Quotas and limits", Kinesis developer guide), hence the pauses.
"""

import datetime as dt
import logging
from enum import Enum, auto
from random import Random
from typing import Final

from orderstream.kinesis.shard import Shard
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.retrieval.calls import (
    Issued,
    IssueIterator,
    LookedUp,
    LookUpShard,
    Pin,
    Pinned,
    Read,
    ReadRecords,
    Refusal,
    RetrievalRequest,
    RetrievalResponse,
    RetrievedBatch,
)
from orderstream_consumer.processing.backoff import Backoff
from orderstream_consumer.processing.record import Checkpoint, Position, RetentionGap

logger = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(first=0.5, longest=8.0)
_STANDSTILL_PAUSE: Final = 60.0
"""Seconds between tries of a shard that needs a person."""

PROPAGATION: Final = dt.timedelta(minutes=1)
"""A record may be read a moment after it has arrived; far longer than that ever takes."""

_SHORTEST_RETENTION: Final = dt.timedelta(hours=24)
"""No stream keeps its records for less ("Quotas and limits", Kinesis developer guide)."""


class _Doubt(Enum):
    """Why the listing has to be asked."""

    END = auto()
    GONE = auto()
    POSITION = auto()


class PollingReader:
    """Reads one shard, batch by batch.

    Args:
        shard_id: The shard.
        start: Where to begin.
        config: How to read.
        random: Source of jitter.
        done_until: Every record that arrived before is done or not wanted, as the lease says. A shard that
            begins at LATEST begins there: so what came after the first look at it is not lost with the worker
            that looked.

    Attributes:
        wake_at: When ``proceed`` should be called again, in seconds of the caller's clock; None if not by
            itself.
        position: The last position that was read, or the one where it began, if that is one.
        standstill: Why nothing can be read until a person acts; None as long as nothing is wrong.
        stream_gone: Whether the last call found no such stream.
        spurious_ends: Responses that looked like the end of a shard that had not ended.
        retention_gaps: How often records were gone before they were read.
        caught_up_at: Every record that arrived before this moment has been read; None as long as that is not
            known.
    """

    def __init__(
        self,
        shard_id: str,
        start: Checkpoint,
        config: EngineConfig,
        random: Random,
        done_until: dt.datetime | None = None,
    ) -> None:
        self._shard_id = shard_id
        self._start = start
        self._config = config
        self._random = random
        self._iterator: str | None = None
        self._done_until = done_until
        self._pin: dt.datetime | None = None
        self._last_read: int | None = None
        self._doubt: _Doubt | None = None
        self._from_horizon = self._listed_closed = False
        self._wanted = self._calling = self._closed = False
        self._called_at = float("-inf")
        self._next_call = float("-inf")
        self._refusals = 0
        self.wake_at: float | None = None
        self.position: Position | None = start if isinstance(start, Position) else None
        self.standstill: str | None = None
        self.stream_gone = False
        self.spurious_ends = 0
        self.retention_gaps = 0
        self.caught_up_at: dt.datetime | None = None

    def want(self, now: float) -> RetrievalRequest | None:
        """Ask for the next batch; ``proceed`` may have to be called for it at ``wake_at``."""
        self._wanted = True
        return self.proceed(now)

    def proceed(self, now: float) -> RetrievalRequest | None:
        """Return the call to make now, if any."""
        self.wake_at = None
        if not self._wanted or self._calling or self._closed:
            return None
        if now < self._next_call:
            self.wake_at = self._next_call
            return None
        self._calling = True
        if self._pin is not None:
            return Pin(self._pin)
        if self._doubt is not None:
            return LookUpShard()
        if self._iterator is None:
            return self._issue()
        self._called_at = now
        return ReadRecords(self._iterator, self._done())

    def responded(
        self, response: RetrievalResponse, now: float
    ) -> tuple[RetrievedBatch | None, RetrievalRequest | None]:
        """Take the response to the call under way.

        Returns:
            The batch that was wanted, once it is there, and the call to make next.
        """
        self._calling = False
        self.stream_gone = response is Refusal.STREAM_GONE
        batch: RetrievedBatch | None = None
        match response:
            case Issued(iterator, at):
                self._iterator = iterator
                if self._start == "LATEST" and self._done_until is None:
                    # Before any record is handed over: after that, LATEST would be too late to begin at.
                    self._done_until = self._pin = at
            case Pinned():
                self._pin = None
                self._refusals = 0
            case Read():
                batch = self._read(response, now)
            case LookedUp(shard):
                batch = self._looked_up(shard, now)
            case Refusal():
                self._refused(response, now)
        if batch is not None:
            self._wanted = False
        return batch, self.proceed(now)

    def _issue(self) -> IssueIterator:
        if self._last_read is not None:
            return IssueIterator("AFTER_SEQUENCE_NUMBER", sequence_number=self._last_read)
        if self._from_horizon:
            return IssueIterator("TRIM_HORIZON")
        if isinstance(self._start, Position):
            # Part of an aggregate may be left to do, so read the record again and leave out what is done. It
            # also shows whether retention has passed the checkpoint: then this very record is gone.
            return IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=self._start.sequence_number)
        if self._start == "AT_TIMESTAMP":
            return IssueIterator("AT_TIMESTAMP", timestamp=self._config.initial_timestamp)
        if self._start == "LATEST":
            if self._done_until is None:
                return IssueIterator("LATEST")
            # The tip has moved since, over records that we were to read.
            return IssueIterator("AT_TIMESTAMP", timestamp=self._done_until)
        return IssueIterator("TRIM_HORIZON")

    def _done(self) -> Position | None:
        return self._start if isinstance(self._start, Position) and self._last_read is None else None

    def _read(self, read: Read, now: float) -> RetrievedBatch | None:
        deaggregated = read.deaggregated
        gap: RetentionGap | None = None
        if deaggregated.first_sequence_number is not None:
            if (
                done := self._done()
            ) is not None and deaggregated.first_sequence_number != done.sequence_number:
                if deaggregated.first_sequence_number < done.sequence_number:
                    self._stand_still(f"the checkpoint {done.sequence_number} is not of this stream", now)
                    return None
                if not self._idle_since(read.at):
                    gap = self._gap(done, Position(deaggregated.first_sequence_number))
            self._last_read = deaggregated.last_sequence_number
            self._from_horizon = False
        self.standstill = None
        self._refusals = 0
        if deaggregated.records:
            self.position = deaggregated.records[-1].position
        self._iterator = read.next_iterator or None
        if self._iterator is None:
            self._judge_end(read)
        elif read.at is not None and self._is_at_tip(read):
            self.caught_up_at = read.at - PROPAGATION
        far_behind = read.millis_behind_latest > 1000 * self._config.idle_between_reads
        pause = self._config.min_between_reads
        if not far_behind:
            pause = max(pause, self._config.idle_between_reads)
        self._next_call = self._called_at + pause
        return RetrievedBatch(
            deaggregated.records, read.millis_behind_latest, self._closed, read.children, gap
        )

    def _is_at_tip(self, read: Read) -> bool:
        """Whether all that arrived before has been read.

        If the record that it begins with is gone, retention may have taken others, and that is still to be
        reported.
        """
        nothing = read.deaggregated.last_sequence_number is None and read.millis_behind_latest == 0
        return nothing and (self._done() is None or self._idle_since(read.at))

    def _idle_since(self, now: dt.datetime | None) -> bool:
        """Whether all that retention can have taken was done or read, however old the checkpoint is."""
        moments = [moment for moment in (self._done_until, self.caught_up_at) if moment is not None]
        return now is not None and bool(moments) and now - max(moments) < _SHORTEST_RETENTION

    def _judge_end(self, read: Read) -> None:
        """Decide whether a response without a next iterator was the last.

        The shard's end carries its children. Without them it is the end only if the shard was listed as
        closed before this read was sent, and the read found nothing more.
        """
        nothing_more = read.deaggregated.last_sequence_number is None and read.millis_behind_latest == 0
        if read.children or (self._listed_closed and nothing_more):
            self._closed = True
        else:
            self._doubt = _Doubt.END

    def _looked_up(self, shard: Shard | None, now: float) -> RetrievedBatch | None:
        doubt, self._doubt = self._doubt, None
        self._refusals = 0
        if shard is None:
            if doubt is _Doubt.END:
                return None  # asking for an iterator will show whether it is gone
            logger.warning("shard is gone, its retention has passed", extra={"shard_id": self._shard_id})
            return self._ended()
        if doubt is _Doubt.END:
            self._listed_closed = not shard.is_open
            if shard.is_open:
                self.spurious_ends += 1
                logger.warning("open shard without a next iterator", extra={"shard_id": self._shard_id})
        elif doubt is _Doubt.GONE:
            self._back_off(now)
        else:
            return self._judge_position(shard, now)
        return None

    def _judge_position(self, shard: Shard, now: float) -> RetrievedBatch | None:
        """Decide what a sequence number is that the shard refuses."""
        refused = self._last_read
        if refused is None:
            assert isinstance(self._start, Position), "only sequence numbers are refused"
            refused = self._start.sequence_number
        if shard.starting_sequence_number is not None and refused < shard.starting_sequence_number:
            self._stand_still(f"the checkpoint {refused} is before the first record of this shard", now)
            return None
        if shard.ending_sequence_number is not None and refused >= shard.ending_sequence_number:
            return self._ended()
        self._begin_again()
        self._from_horizon = True
        return None

    def _begin_again(self) -> None:
        """Begin with the last record that was read: whether it is still there shows what retention has taken.

        What was read is in the processor's hands already, and is left out by its position.
        """
        if self._last_read is None:
            return
        read = self.position
        if read is None or read.sequence_number != self._last_read:
            read = Position(self._last_read)  # nothing of that record was to be delivered
        self._start, self._last_read = read, None

    def _ended(self) -> RetrievedBatch:
        self._closed = True
        return RetrievedBatch((), 0, closed=True)

    def _gap(self, after: Position, before: Position) -> RetentionGap:
        self.retention_gaps += 1
        logger.error(
            "records are lost: retention has passed the checkpoint",
            extra={
                "shard_id": self._shard_id,
                "checkpoint": str(after.sequence_number),
                "first_left": str(before.sequence_number),
            },
        )
        return RetentionGap(after, before)

    def _stand_still(self, reason: str, now: float) -> None:
        self._iterator = None
        self._from_horizon = False
        self._next_call = now + _STANDSTILL_PAUSE
        self.standstill = reason
        logger.error("shard is stuck", extra={"shard_id": self._shard_id, "reason": reason})

    def _refused(self, refusal: Refusal, now: float) -> None:
        match refusal:
            case Refusal.EXPIRED:
                self._iterator = None
                self._begin_again()
                self._next_call = self._called_at + self._config.min_between_reads
            case Refusal.GONE:
                self._iterator, self._doubt = None, _Doubt.GONE
                self._begin_again()
            case Refusal.INVALID_POSITION:
                self._iterator, self._doubt = None, _Doubt.POSITION
            case _:
                self._back_off(now)

    def _back_off(self, now: float) -> None:
        self._next_call = now + _BACKOFF.pause(self._refusals, self._random.random())
        self._refusals += 1
