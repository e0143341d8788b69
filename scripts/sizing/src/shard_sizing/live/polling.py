"""Reads everything that arrives on a stream from now on, or has arrived since a time, by GetRecords.

::

    now ──records──> next iterator ──...──> none: the shard has ended, its children are read from their start
              │  expired: an iterator after the last record
              └─ throttled: the same iterator in the next round

A shard takes five calls a second from all of its readers together, so each is read once a second, and at
most once in half a second while there is more to come.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

from orderstream.aws import ExpectedRefusalError, expecting, required
from orderstream.kinesis.listing import children_of
from orderstream.kinesis.shard import Shard
from shard_sizing.errors import InputError
from shard_sizing.live.asked import demand_record, stream_asked, summary_of
from shard_sizing.live.reshard import listed

_THROTTLED: Final = ("ProvisionedThroughputExceededException", "LimitExceededException")
_EXPIRED: Final = "ExpiredIteratorException"
_ROUND_SECONDS: Final = 1.0
_CATCHING_UP_SECONDS: Final = 0.5
_THREADS: Final = 16
_GRACE_SECONDS: Final = 30.0  # to catch up with what arrived before the end


@dataclass(frozen=True, slots=True)
class Arrived:
    """One Kinesis record and the shard that it arrived on, as boto3 gives it."""

    shard_id: str
    record: Mapping[str, Any]


@dataclass(slots=True)
class ShardReading:
    """How far a shard has been read.

    Attributes:
        shard_id: The shard.
        start: Its first hash key.
        end: Its last hash key.
        begin: Where reading begins, as GetShardIterator takes it.
        iterator: What the next call names; None once the shard has ended.
        last: Sequence number of the last record; None before the first.
        behind: Milliseconds between the last response and the tip.
        throttled: Calls that were refused because others read too.
    """

    shard_id: str
    start: int
    end: int
    begin: Mapping[str, Any]
    iterator: str | None = None
    last: str | None = None
    behind: int = 0
    throttled: int = 0

    @classmethod
    def of(cls, shard: Shard, begin: Mapping[str, Any]) -> Self:
        """A shard, and where to begin in it."""
        return cls(shard.shard_id, *shard.hash_range, begin)


class Poller:
    """One reading of a stream.

    Args:
        client: A boto3 Kinesis client.
        stream: The stream's name.
        clock: Seconds since 1970.
        sleep: Waits for so many seconds.
        since: Read what arrived from this second on, within the stream's retention, and not what arrives
            from now on; closed shards are read too.
        only: Ids of the shards to read; by default all, and the children of those that end.

    Attributes:
        shards: Every shard that was read.
        span: First and last second whose records are read.

    Raises:
        InputError: The stream does not exist, may not be read, has no such shard, or keeps its records for
            less time.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        since: int | None = None,
        only: Sequence[str] = (),
    ) -> None:
        self._since = since
        self._only = frozenset(only)
        self._client = client
        self._stream = stream
        self._clock = clock
        self._sleep = sleep
        self.shards: dict[str, ShardReading] = {}
        self.span = (0, 0)
        if since is not None:
            self._check_kept(since)
        begin = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": clock() if since is None else since}
        for shard in listed(client, stream, closed=since is not None):
            self._add(shard, begin)
        unknown = self._only - self.shards.keys()
        if unknown:
            raise InputError(f"stream {stream}", f"it has no shard {', '.join(sorted(unknown))}")

    def read(self, seconds: float, tick: Callable[[float], None] = lambda _: None) -> Iterator[Arrived]:
        """Give the records of so many whole seconds, by the time of their arrival.

        Args:
            seconds: From the next full second on, or from ``since``; at least 1.
            tick: Called after each round with the number of seconds that have passed.
        """
        first = math.ceil(self._clock()) if self._since is None else self._since
        last = first + math.ceil(seconds)
        self.span = first, last - 1
        with ThreadPoolExecutor(_THREADS) as pool:
            while True:
                began = self._clock()
                answers = list(pool.map(self._ask, [s for s in self.shards.values() if s.iterator]))
                for shard, records, children in answers:
                    for record in records:
                        at = record["ApproximateArrivalTimestamp"].timestamp()
                        if first <= at < last:
                            yield Arrived(shard.shard_id, record)
                        elif at >= last and self._since is not None:
                            shard.iterator = None  # times rise within a shard but for milliseconds
                    for child in children:
                        self._add(child, {"ShardIteratorType": "TRIM_HORIZON"})
                now = self._clock()
                tick(min(now - first, seconds))
                behind = any(shard.behind and shard.iterator for shard in self.shards.values())
                # Everything that arrived before the end has been read once nothing is left to come.
                patient = self._since is not None or now < last + _GRACE_SECONDS
                if now >= last + 1 and not (behind and patient):
                    return
                pause = _CATCHING_UP_SECONDS if behind else _ROUND_SECONDS
                self._sleep(max(0.0, began + pause - now))

    def _check_kept(self, since: int) -> None:
        with stream_asked(self._stream, "DescribeStreamSummary"):
            hours = required(summary_of(self._client, self._stream), "RetentionPeriodHours", int)
        if since < self._clock() - hours * 3_600:
            raise InputError(f"stream {self._stream}", f"it keeps its records for {hours} hours; begin later")

    def _ask(self, shard: ShardReading) -> tuple[ShardReading, list[Mapping[str, Any]], tuple[Shard, ...]]:
        try:
            with stream_asked(self._stream, "GetRecords", expecting(*_THROTTLED, _EXPIRED)):
                answer = self._client.get_records(ShardIterator=shard.iterator, Limit=10_000)
                records = required(answer, "Records", list)
                for record in records:
                    demand_record(record)
                children = children_of(answer)
        except ExpectedRefusalError as refused:
            if refused.code == _EXPIRED:
                shard.iterator = self._iterator(shard)
            else:
                shard.throttled += 1
            return shard, [], ()
        shard.iterator = answer.get("NextShardIterator")
        shard.behind = answer.get("MillisBehindLatest") or 0
        if records:
            shard.last = records[-1]["SequenceNumber"]
        return shard, records, children

    def _add(self, shard: Shard, begin: Mapping[str, Any]) -> None:
        """Read a shard too; both parents of a merged one name it."""
        if shard.shard_id in self.shards or (self._only and shard.shard_id not in self._only):
            return
        reading = ShardReading.of(shard, begin)
        reading.iterator = self._iterator(reading)
        self.shards[reading.shard_id] = reading

    def _iterator(self, shard: ShardReading) -> str:
        where = dict(shard.begin)
        if shard.last is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": shard.last}
        with stream_asked(self._stream, "GetShardIterator"):
            answer = self._client.get_shard_iterator(StreamName=self._stream, ShardId=shard.shard_id, **where)
            return required(answer, "ShardIterator", str)
