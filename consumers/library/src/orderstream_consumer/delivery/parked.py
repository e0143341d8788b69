"""What a person does with parked records: look at them, carry them out in order, or discard the first.

::

    marked, 1 2 3 ──redrive: 1 carried out──> marked, 2 3 ──> ... ──> marked, nothing left ──> free
          │                  │                                                     │
          │                  └─ 1 fails again: it stays, and all behind it         └─ a record arrived
          └──discard 1──> marked, 2 3; free if 1 was the only one                     meanwhile: go on

The owners of the shards go on appending during a redrive, see ``parking``: each change of the
entries changes the mark in the same transaction, and the mark is lifted only if it is unchanged since it was
read.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.delivery.entries import (
    PARKING,
    PARTS_AT_ONCE,
    entries_key,
    first_sort,
    is_first,
    parts_in,
    prefix_in,
    record_in,
    time_in,
)
from orderstream_consumer.delivery.handler import RecordHandler
from orderstream_consumer.delivery.parking import MANY, TRIES, is_set, lifted
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import (
    Check,
    ConditionFailedError,
    ContentionError,
    Delete,
    Item,
    Put,
    Store,
    Write,
)

logger = logging.getLogger(__name__)


_DISCARDED: Final = "waits behind a record that was discarded"


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """A key whose records are parked.

    Attributes:
        partition_key: The key.
        reason: Why its first record is there.
        parked_at: Since when the key is parked (UTC).
        count: How many of its records are parked; 0 if a redrive ended just before it lifted the mark.
    """

    partition_key: str
    reason: str
    parked_at: dt.datetime
    count: int


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that is parked.

    Attributes:
        record: The record as it was delivered.
        reason: Why it is parked.
        parked_at: Since when (UTC).
    """

    record: DeliveredRecord
    reason: str
    parked_at: dt.datetime


class RedriveStoppedError(OrderstreamError):
    """A parked record failed again; it and what is behind it stay parked.

    Args:
        record: The record.
        carried_out: How many before it were carried out.
        reason: Why it failed.
    """

    def __init__(self, record: DeliveredRecord, carried_out: int, reason: str) -> None:
        self.record = record
        self.carried_out = carried_out
        self.reason = reason
        super().__init__(
            f"stopped after {carried_out} at sequence number {record.position.sequence_number} of key "
            f"{record.partition_key}, which fails again: {reason}; fix the cause and redrive again, "
            "or discard this record"
        )


class NotFirstError(OrderstreamError):
    """The record to discard is not the first of its key any more.

    Args:
        partition_key: The key.
    """

    def __init__(self, partition_key: str) -> None:
        self.partition_key = partition_key
        super().__init__(
            f"the first parked record of key {partition_key} is another one by now, nothing was discarded; "
            "look at the key again"
        )


class RecordIncompleteError(OrderstreamError):
    """The first record of a key is larger than a transaction, and its owner has not stored all of it yet.

    Args:
        partition_key: The key.
        stored: How many of its parts are stored.
        parts: How many there will be.
    """

    retryable = True

    def __init__(self, partition_key: str, stored: int, parts: int) -> None:
        self.partition_key = partition_key
        self.stored = stored
        self.parts = parts
        super().__init__(
            f"the first parked record of key {partition_key} is still being stored ({stored} of {parts} "
            "parts); redrive again in a minute. If that does not change, its shard has no owner that works"
        )


class ParkedRecords:
    """An application's parked records.

    Args:
        store: Where marks and entries are.
        application: Whose they are.
        clock: The time (UTC).
    """

    def __init__(self, store: Store, application: str, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._store = store
        self._application = application
        self._clock = clock

    def keys(self) -> list[ParkedKey]:
        """Every key that is parked, sorted.

        Raises:
            DependencyError: the store did not respond.
        """
        return [
            ParkedKey(
                partition_key=str(mark.sort),
                reason=str(mark.attributes["reason"]),
                parked_at=time_in(mark, "parked_at"),
                count=mark.value("count", int),
            )
            for mark in self._store.query(PARKING.name, self._application, limit=MANY)
            if is_set(mark)
        ]

    def records(self, partition_key: str) -> list[ParkedRecord]:
        """What is parked under a key, in the order of the stream.

        Raises:
            DependencyError: the store did not respond.
        """
        items = self._store.query(PARKING.name, self._entries_key(partition_key), limit=MANY)
        entries = [list(parts) for _, parts in groupby(items, key=prefix_in)]
        return [_parked(partition_key, parts) for parts in entries if is_first(parts[0])]

    def redrive(self, partition_key: str, handler: RecordHandler) -> int:
        """Carry out what is parked under a key, in order, and lift the mark once nothing is left.

        Records keep their shard and position, so a handler knows those that it has carried out before. For
        one caller per key at a time.

        Args:
            partition_key: The key.
            handler: Carries the records out.

        Returns:
            How many records were carried out.

        Raises:
            RedriveStoppedError: a record failed again; it and its followers stay parked.
            RecordIncompleteError: a record is still being stored; call again in a minute.
            DependencyError: the store or the handler failed; call again, it goes on where it stopped.
        """
        carried_out = 0
        while True:
            # The mark before the entries: what is appended after this moves its version.
            mark = self._mark(partition_key)
            if mark is None:
                return carried_out
            parts = self._first(partition_key)
            if parts:
                if len(parts) < parts_in(parts[0]):
                    raise RecordIncompleteError(partition_key, len(parts), parts_in(parts[0]))
                record = record_in(partition_key, parts)
                self._carry_out(record, handler, carried_out)
                self._take(partition_key, parts, "waits behind a record that was redriven")
                carried_out += 1
                continue
            try:
                self._store.transact([lifted(self._application, mark, self._clock())])
            except ConditionFailedError:
                logger.info("a record was parked meanwhile", extra={"partition_key": partition_key})

    def is_parked(self, partition_key: str) -> bool:
        """Whether the key is parked now; true also where a redrive ended just before it lifted the mark.

        Raises:
            DependencyError: the store did not respond.
        """
        return self._mark(partition_key) is not None

    def discard_first(self, partition_key: str, position: Position, noted: Sequence[Put] = ()) -> None:
        """Discard the first parked record of a key, forever; the others stay until they are redriven.

        If it is the only one, the key is free again.

        Args:
            partition_key: The key.
            position: The record's position in the stream, so that only the record that was seen is discarded.
            noted: Written in the same transaction: who discards it, and why. At most one.

        Raises:
            NotFirstError: another record is the first by now.
            DependencyError: the store did not respond; look whether the record is still there.
        """
        parts = self._first(partition_key)
        if not parts or record_in(partition_key, parts).position != position:
            raise NotFirstError(partition_key)
        discarded = _parked(partition_key, parts)
        if not self._take(partition_key, parts, _DISCARDED, lift=True, noted=noted):
            raise NotFirstError(partition_key)
        logger.info(
            "parked record discarded",
            extra={
                "application": self._application,
                "partition_key": partition_key,
                **discarded.record.position_fields(),
                "reason": discarded.reason,
            },
        )

    def _carry_out(self, record: DeliveredRecord, handler: RecordHandler, carried_out: int) -> None:
        try:
            handler.handle(record)
        except DependencyError:
            raise
        except Exception as error:
            raise RedriveStoppedError(record, carried_out, f"{type(error).__name__}: {error}") from error

    def _take(
        self,
        partition_key: str,
        parts: list[Item],
        reason: str,
        *,
        lift: bool = False,
        noted: Sequence[Put] = (),
    ) -> bool:
        """Remove the first entry; False if another caller did. ``lift``: the last one's mark goes too."""
        for _ in range(TRIES):
            mark = self._mark(partition_key)
            if mark is None:
                return False  # a mark is lifted only when its entries are gone
            count = mark.value("count", int) - 1
            left: Write = Put(
                PARKING.name,
                self._application,
                {**mark.attributes, "count": count, "reason": reason},
                mark.version,
                sort=partition_key,
            )
            if lift and count == 0:
                left = lifted(self._application, mark, self._clock())
            entry = [Delete(PARKING.name, part.key, part.version, sort=part.sort) for part in parts]
            try:
                self._store.transact([left, *entry[:PARTS_AT_ONCE], *noted])
            except ConditionFailedError as error:
                if error.failed != (0,):
                    return False
                continue  # a record was appended meanwhile
            self._clear(parts[PARTS_AT_ONCE:])
            return True
        raise ContentionError("TransactWriteItems")

    def _clear(self, rest: Sequence[Item]) -> None:
        """Delete parts whose entry is gone."""
        for part in rest:
            gone = Check(PARKING.name, part.key, None, sort=first_sort(prefix_in(part)))
            try:
                self._store.transact([gone, Delete(PARKING.name, part.key, sort=part.sort)])
            except ConditionFailedError:
                return  # the same record is parked again: the part is its own

    def _mark(self, partition_key: str) -> Item | None:
        mark = self._store.get(PARKING.name, self._application, partition_key)
        return mark if is_set(mark) else None

    def _first(self, partition_key: str) -> list[Item]:
        """The parts of the first entry that are stored; clears what an interrupted redrive has left."""
        key = self._entries_key(partition_key)
        while first := self._store.query(PARKING.name, key, limit=1):
            prefix = prefix_in(first[0])
            if is_first(first[0]):
                found = self._store.query(PARKING.name, key, limit=parts_in(first[0]))
                return [part for part in found if prefix_in(part) == prefix]
            self._clear(first)
        return []

    def _entries_key(self, partition_key: str) -> str:
        return entries_key(self._application, partition_key)


def _parked(partition_key: str, parts: list[Item]) -> ParkedRecord:
    first, reason = parts[0], str(parts[0].attributes["reason"])
    if len(parts) < parts_in(first):
        reason += f" (still being stored, {len(parts)} of {parts_in(first)} parts)"
    return ParkedRecord(record_in(partition_key, parts), reason, time_in(first, "parked_at"))
