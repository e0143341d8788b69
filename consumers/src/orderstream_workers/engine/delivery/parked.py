"""What a person does with parked records: look at them, carry them out in order, or discard the first.

::

    marked, 1 2 3 ──redrive: 1 carried out──> marked, 2 3 ──> ... ──> marked, nothing left ──> free
          │                  │                                                     │
          │                  └─ 1 fails again: it stays, and all behind it         └─ a record arrived
          └──discard 1──> marked, 2 3; free if 1 was the only one                     meanwhile: go on

The owners of the shards go on appending while somebody works here, see ``parking``: each change of the
entries changes the mark in the same transaction, and the mark is lifted only if it stands as it was read.
"""

import datetime as dt
import logging
import zlib
from dataclasses import dataclass
from itertools import groupby

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_workers.engine.delivery.handler import RecordHandler
from orderstream_workers.engine.delivery.parking import MANY, PARKING, TRIES, lifted, number_of, stands
from orderstream_workers.engine.record import DeliveredRecord, Position
from orderstream_workers.store import ConditionFailedError, ContentionError, Delete, Item, Put, Store, Write

logger = logging.getLogger(__name__)


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
            f"{record.partition_key}, which fails again: {reason}; mend the cause and redrive again, "
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


class ParkedRecords:
    """An application's parked records.

    Args:
        store: Where marks and entries are.
        application: Whose they are.
    """

    def __init__(self, store: Store, application: str) -> None:
        self._store = store
        self._application = application

    def keys(self) -> list[ParkedKey]:
        """Every key that is parked, sorted.

        Raises:
            DependencyError: the store did not answer.
        """
        return [
            ParkedKey(
                partition_key=str(mark.sort),
                reason=str(mark.attributes["reason"]),
                parked_at=_time(mark, "parked_at"),
                count=number_of(mark, "count"),
            )
            for mark in self._store.query(PARKING.name, self._application, limit=MANY)
            if stands(mark)
        ]

    def records(self, partition_key: str) -> list[ParkedRecord]:
        """What is parked under a key, in the order of the stream.

        Raises:
            DependencyError: the store did not answer.
        """
        items = self._store.query(PARKING.name, self._entries_key(partition_key), limit=MANY)
        entries = groupby(items, key=lambda item: str(item.sort).rpartition("/")[0])
        return [_parked(partition_key, list(parts)) for _, parts in entries]

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
                record = _parked(partition_key, parts).record
                self._carry_out(record, handler, carried_out)
                self._take(partition_key, parts, "waits behind a record that was redriven")
                carried_out += 1
                continue
            try:
                self._store.transact([lifted(self._application, mark)])
            except ConditionFailedError:
                logger.info("a record was parked meanwhile", extra={"partition_key": partition_key})

    def discard_first(self, partition_key: str, position: Position) -> None:
        """Discard the first parked record of a key, for ever; the others stay until they are redriven.

        If it is the only one, the key is free again.

        Args:
            partition_key: The key.
            position: Where the record stood in the stream, so that nothing is discarded unseen.

        Raises:
            NotFirstError: another record is the first by now.
            DependencyError: the store did not answer; look whether the record is still there.
        """
        parts = self._first(partition_key)
        if not parts or _parked(partition_key, parts).record.position != position:
            raise NotFirstError(partition_key)
        discarded = _parked(partition_key, parts)
        if not self._take(partition_key, parts, "waits behind a record that was discarded", lift=True):
            raise NotFirstError(partition_key)
        logger.warning(
            "parked record discarded",
            extra={
                "application": self._application,
                "partition_key": partition_key,
                "shard_id": discarded.record.shard_id,
                "sequence_number": str(position.sequence_number),
                "subsequence_number": position.subsequence_number,
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

    def _take(self, partition_key: str, parts: list[Item], reason: str, *, lift: bool = False) -> bool:
        """Remove the first entry; False if somebody else did. ``lift``: the last one's mark goes too."""
        for _ in range(TRIES):
            mark = self._mark(partition_key)
            if mark is None:
                return False  # a mark is lifted only when its entries are gone
            count = number_of(mark, "count") - 1
            left: Write = Put(
                PARKING.name,
                self._application,
                {**mark.attributes, "count": count, "reason": reason},
                mark.version,
                sort=partition_key,
            )
            if lift and count == 0:
                left = lifted(self._application, mark)
            entry = [Delete(PARKING.name, part.key, part.version, sort=part.sort) for part in parts]
            try:
                self._store.transact([left, *entry])
            except ConditionFailedError as error:
                if error.failed != (0,):
                    return False
                continue  # a record was appended meanwhile
            return True
        raise ContentionError("TransactWriteItems")

    def _mark(self, partition_key: str) -> Item | None:
        mark = self._store.get(PARKING.name, self._application, partition_key)
        return mark if stands(mark) else None

    def _first(self, partition_key: str) -> list[Item]:
        key = self._entries_key(partition_key)
        first = self._store.query(PARKING.name, key, limit=1)
        return self._store.query(PARKING.name, key, limit=number_of(first[0], "parts")) if first else []

    def _entries_key(self, partition_key: str) -> str:
        return f"{self._application}/{partition_key}"


def _parked(partition_key: str, parts: list[Item]) -> ParkedRecord:
    first = parts[0]
    assert first.sort is not None
    sequence_number, subsequence_number, _ = first.sort.split("/")
    bodies = [part.attributes["body"] for part in parts]
    hash_key = first.attributes["explicit_hash_key"]
    assert hash_key is None or isinstance(hash_key, int)
    record = DeliveredRecord(
        shard_id=str(first.attributes["shard_id"]),
        position=Position(int(sequence_number), int(subsequence_number)),
        partition_key=partition_key,
        data=zlib.decompress(b"".join(body for body in bodies if isinstance(body, bytes))),
        approximate_arrival=_time(first, "arrived_at"),
        explicit_hash_key=hash_key,
    )
    return ParkedRecord(record, str(first.attributes["reason"]), _time(first, "parked_at"))


def _time(item: Item, name: str) -> dt.datetime:
    return dt.datetime.fromisoformat(str(item.attributes[name]))
