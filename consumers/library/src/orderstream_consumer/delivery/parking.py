"""Parking: a record that fails by itself is put aside with its reason, and what follows on its key behind it.

Per application and key there is a mark, with the tail of what is parked, and an entry per record, in the
order of the stream. While the mark is set, later records of the key are appended and not processed, so
that a redrive can carry all of them out in order; only what may overtake, see ``handler``, does not wait.
Layout of the table ``parking`` (sorted)::

    key                         sort                         attributes
    APPLICATION                 PARTITION KEY                the mark: reason, parked_at, tail, count; lifted
    APPLICATION/PARTITION KEY   SEQUENCE/SUB/PART            one part of one entry: body, reason, arrival, ...

Every entry that is added or taken changes the mark in the same transaction, so a mark with an unchanged
version has an unchanged tail. A mark is lifted and not deleted: its version would start at 1 again, and a
suspended process would take the new mark for the old one. It expires after a month.

All this holds per shard: each of its owners knows the marks that were set when it took over, and those that
it makes. A key whose records are on several shards (record distribution AUTO) is parked on each of them by
itself, and a redrive carries out what is there in the order of the sequence numbers. Applications that need
more refuse such a stream, see ``identity``.

The marks of an application share a partition, so that a worker that takes over a shard, a child of a split
among them, reads all of them with one consistent query.

A body larger than an item is stored in several parts, and one larger than a transaction in several
transactions::

    nothing ──mark and the first parts──> entry, incomplete ──the other parts, one by one──> entry, complete
                                               │                      │
                                               └──a crash: the record has not been passed, so it is delivered
                                                  again and its owner stores what is missing

The first transaction marks the key, so nothing overtakes an incomplete entry, and a redrive waits for it. A
part is stored and deleted on condition that the entry's first part is, or is not, there: no part outlives its
entry, but for what a redrive leaves behind that is killed between two transactions; the next one clears it.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from orderstream.errors import OrderstreamError
from orderstream_consumer.delivery.entries import (
    EXPIRES,
    PARKING,
    PARTS_AT_ONCE,
    entries_key,
    first_sort,
    parts_in,
    parts_of,
    prefix_of,
    storable,
)
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_consumer.store import (
    Attribute,
    Check,
    ConditionFailedError,
    ContentionError,
    Item,
    Put,
    Store,
)

logger = logging.getLogger(__name__)

LIFTED: Final = "lifted"
"""What a mark says that does not count any more."""

LIFTED_KEPT: Final = dt.timedelta(days=30)
"""How long a lifted mark keeps its version for processes that read it: longer than any suspension."""

MANY: Final = 1_000_000
"""More than is ever parked: no limit."""

TRIES: Final = 20
"""Tries against others who change the same mark."""


class Parking(Protocol):
    """Where an application's failed records wait for a person."""

    def load(self) -> None:
        """Read which keys are parked; a worker that takes over a shard does so before its first record.

        Raises:
            DependencyError: they could not be read.
        """

    def is_parked(self, partition_key: str) -> bool:
        """True if records of the key are parked, as far as this process knows."""

    def park(self, record: DeliveredRecord, reason: str) -> None:
        """Park a record and its key. Doing it again with the same record changes nothing.

        Raises:
            DependencyError: it could not be stored; the record must not be passed.
            PositionTakenError: a record of another shard is parked at its position.
        """

    def append(self, record: DeliveredRecord) -> bool:
        """Put a record behind the others of its key.

        Returns:
            False if the key is not parked any more: process the record.

        Raises:
            DependencyError: it could not be stored; the record must not be passed.
            PositionTakenError: a record of another shard is parked at its position.
        """

    def count(self) -> int:
        """How many records of the application are parked."""


class PositionTakenError(OrderstreamError):
    """Another record is parked at a record's position: it must not count as stored.

    Sequence numbers are unique "per partition-key within its shard" (Kinesis API reference), and no more.

    Args:
        record: The record.
        shard_id: The shard of the other one.
    """

    def __init__(self, record: DeliveredRecord, shard_id: str) -> None:
        self.shard_id = shard_id
        super().__init__(
            f"record {record.position.sequence_number} of key {record.partition_key} on {record.shard_id} "
            f"cannot be parked: one of {shard_id} with the same number is; redrive or discard that one first"
        )


class StoredParking:
    """Parking in the store.

    Args:
        store: Where marks and entries are.
        application: Whose they are.
        clock: The time (UTC).
    """

    def __init__(self, store: Store, application: str, clock: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._application = application
        self._clock = clock
        self._marked: set[str] = set()

    def load(self) -> None:
        """See ``Parking.load``."""
        # Added to, not replaced: another shard's lane may have parked a key since the marks were read, and a
        # mark that is gone is noticed by ``append``.
        self._marked.update(str(mark.sort) for mark in self._marks())

    def is_parked(self, partition_key: str) -> bool:
        """See ``Parking.is_parked``."""
        return partition_key in self._marked

    def park(self, record: DeliveredRecord, reason: str) -> None:
        """See ``Parking.park``."""
        self._store_entry(record, reason, only_if_marked=False)
        self._marked.add(record.partition_key)

    def append(self, record: DeliveredRecord) -> bool:
        """See ``Parking.append``."""
        stored = self._store_entry(record, "waits behind an earlier record of its key", only_if_marked=True)
        if not stored:
            self._marked.discard(record.partition_key)
        return stored

    def count(self) -> int:
        """See ``Parking.count``."""
        return sum(mark.value("count", int) for mark in self._marks())

    def _marks(self) -> list[Item]:
        found = self._store.query(PARKING.name, self._application, limit=MANY)
        return [mark for mark in found if is_set(mark)]

    def _store_entry(self, record: DeliveredRecord, reason: str, *, only_if_marked: bool) -> bool:
        key, prefix = record.partition_key, prefix_of(record.position)
        parts = parts_of(self._application, record, reason=reason, parked_at=self._clock())
        for _ in range(TRIES):
            first = self._store.get(PARKING.name, entries_key(self._application, key), first_sort(prefix))
            if first is not None and first.attributes["shard_id"] != record.shard_id:
                raise PositionTakenError(record, str(first.attributes["shard_id"]))
            if first is None:
                mark = self._store.get(PARKING.name, self._application, key)
                if only_if_marked and not is_set(mark):
                    return False
                try:
                    self._store.transact([self._mark(mark, key, reason, prefix), *parts[:PARTS_AT_ONCE]])
                except ConditionFailedError:
                    continue  # another shard's owner, or a redrive, has moved the mark
            if not self._complete(parts if first is None else parts[: parts_in(first)]):
                continue
            if first is None:
                self._log(record, reason)
            return True
        raise ContentionError("TransactWriteItems")

    def _complete(self, parts: Sequence[Put]) -> bool:
        """Store what did not fit into the entry's first transaction; False if the entry is gone."""
        first = parts[0]
        there = Check(PARKING.name, first.key, 1, sort=first.sort)
        for part in parts[PARTS_AT_ONCE:]:
            try:
                self._store.transact([there, part])
            except ConditionFailedError as error:
                if 0 in error.failed:
                    return False  # redriven or discarded meanwhile
                # The part is there: it was stored before, and its content depends on the record alone.
        return True

    def _log(self, record: DeliveredRecord, reason: str) -> None:
        logger.warning(
            "record parked",
            extra={
                "application": self._application,
                "partition_key": record.partition_key,
                **record.position_fields(),
                "reason": reason,
            },
        )

    def _mark(self, mark: Item | None, key: str, reason: str, prefix: str) -> Put:
        standing = mark if mark and is_set(mark) else None
        before, count = (standing.attributes, standing.value("count", int)) if standing else ({}, 0)
        attributes: dict[str, Attribute] = {
            "reason": storable(reason),
            "parked_at": self._clock().isoformat(),
            **before,
            "tail": prefix,
            "count": count + 1,
        }
        return Put(
            PARKING.name,
            self._application,
            attributes,
            mark.version if mark else None,
            sort=key,
        )


def is_set(mark: Item | None) -> bool:
    """Whether there is a mark that was not lifted."""
    return mark is not None and LIFTED not in mark.attributes


def lifted(application: str, mark: Item, now: dt.datetime) -> Put:
    """The write that lifts a mark if it is unchanged since it was read, and lets it expire."""
    attributes: dict[str, Attribute] = {LIFTED: True, EXPIRES: int((now + LIFTED_KEPT).timestamp())}
    return Put(PARKING.name, application, attributes, mark.version, sort=mark.sort)
