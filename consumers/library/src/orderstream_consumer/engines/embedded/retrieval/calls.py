"""What a reader asks of Kinesis, what comes back, and what it makes of it: the vocabulary of retrieval."""

import datetime as dt
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from orderstream.kinesis.shard import Shard
from orderstream_consumer.engines.embedded.retrieval.deaggregation import DeaggregatedRecords
from orderstream_consumer.processing.record import DeliveredRecord, Position, RetentionGap


@dataclass(frozen=True, slots=True)
class RetrievedBatch:
    """What one read gave.

    Attributes:
        records: User records, possibly none.
        millis_behind_latest: How far the read is behind the tip of the shard, in milliseconds.
        closed: Whether the shard is closed and this was its last batch.
        children: The shards that go on from a closed one, as far as the response named them.
        gap: What retention has taken just before these records; None almost always.
    """

    records: tuple[DeliveredRecord, ...]
    millis_behind_latest: int
    closed: bool = False
    children: tuple[Shard, ...] = ()
    gap: RetentionGap | None = None


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
class Pin:
    """Write to the lease where a shard that begins at its latest record begins.

    Attributes:
        at: Records that arrived from this moment on are to be read.
    """

    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Pinned:
    """It is written: the shard's next owner begins there."""


@dataclass(frozen=True, slots=True)
class LookUpShard:
    """Ask the listing of shards for this one."""


@dataclass(frozen=True, slots=True)
class Issued:
    """The iterator asked for, and a moment by Kinesis' clock at or before that of its tip (UTC)."""

    iterator: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Read:
    """The records asked for.

    Attributes:
        deaggregated: The records, deaggregated.
        millis_behind_latest: Kinesis' MillisBehindLatest.
        next_iterator: Where to read on; None, or empty, if the shard is closed and read to its end.
        children: Kinesis' ChildShards.
        at: A moment by Kinesis' clock at or before that of the read (UTC); None where it is not known.
    """

    deaggregated: DeaggregatedRecords
    millis_behind_latest: int
    next_iterator: str | None
    children: tuple[Shard, ...] = ()
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The shard as it is listed, or None if it is not: its retention has passed."""

    shard: Shard | None


class Refusal(Enum):
    """Why a call to Kinesis gave nothing."""

    EXPIRED = auto()
    """The iterator is older than five minutes, or of no use for another reason."""
    THROTTLED = auto()
    """The shard's limit is used up."""
    GONE = auto()
    """There is no such shard any more, or so this one call says."""
    INVALID_POSITION = auto()
    """The shard knows no such sequence number."""
    STREAM_GONE = auto()
    """There is no such stream."""
    UNREACHABLE = auto()
    """Anything else: an outage, a lost connection, a response that says nothing."""


RetrievalResponse = Issued | Read | LookedUp | Pinned | Refusal
RetrievalRequest = IssueIterator | ReadRecords | LookUpShard | Pin
