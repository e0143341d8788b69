"""Parking: a record that fails by itself is put aside with its reason, and what follows on its key behind it.

Per application and key there is a mark, with the tail of what is parked, and an entry per record, in the
order of the stream. As long as the mark stands, later records of the key are appended and not processed, so
that a redrive can carry all of them out in order; only what may overtake, see ``handler``, does not wait.
Layout of the table ``parking`` (sorted)::

    key                         sort                         attributes
    APPLICATION                 PARTITION KEY                the mark: reason, parked_at, tail, count; lifted
    APPLICATION/PARTITION KEY   SEQUENCE/SUB/PART            one part of one entry: body, reason, arrival, ...

Every entry that is added or taken changes the mark in the same transaction, so a mark whose version stands
still has an unchanged tail. A mark is lifted and never deleted: its version would begin anew, and somebody
who fell asleep over an old one would take the new one for it.

The marks of an application stand together, so that whoever takes over a shard, a child of a split among
them, reads all of them with one consistent query. A body larger than an item is stored in several parts.
"""

import datetime as dt
import logging
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from orderstream_workers.engine.record import DeliveredRecord
from orderstream_workers.store import (
    Attribute,
    ConditionFailedError,
    ContentionError,
    Item,
    Put,
    Store,
    TableSpec,
    Write,
)

logger = logging.getLogger(__name__)

PARKING: Final = TableSpec("parking", sorted=True)

LIFTED: Final = "lifted"
"""What a mark says that does not count any more."""

_PART: Final = 300_000
"""Bytes of a body in one item; DynamoDB's items hold 400 KB, names and all."""

MANY: Final = 1_000_000
"""More than is ever parked: no limit."""

TRIES: Final = 20
"""Tries against others who change the same mark."""


class Parking(Protocol):
    """Where an application's failed records wait for a person."""

    def load(self) -> None:
        """Read which keys are parked; done by whoever takes over a shard, before its first record.

        Raises:
            DependencyError: they could not be read.
        """

    def is_parked(self, partition_key: str) -> bool:
        """True if records of the key are parked, as far as this process knows."""

    def park(self, record: DeliveredRecord, reason: str) -> None:
        """Put a record aside and mark its key. Doing it again with the same record changes nothing.

        Raises:
            DependencyError: it could not be stored; the record must not be passed.
        """

    def append(self, record: DeliveredRecord) -> bool:
        """Put a record behind the others of its key.

        Returns:
            False if the key is not parked any more: process the record.

        Raises:
            DependencyError: it could not be stored; the record must not be passed.
        """

    def count(self) -> int:
        """How many records of the application are parked."""


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
        return sum(number_of(mark, "count") for mark in self._marks())

    def _marks(self) -> list[Item]:
        found = self._store.query(PARKING.name, self._application, limit=MANY)
        return [mark for mark in found if stands(mark)]

    def _store_entry(self, record: DeliveredRecord, reason: str, *, only_if_marked: bool) -> bool:
        key = f"{self._application}/{record.partition_key}"
        place = f"{record.position.sequence_number:060}/{record.position.subsequence_number:08}"
        for _ in range(TRIES):
            if self._store.get(PARKING.name, key, f"{place}/00") is not None:
                return True
            mark = self._store.get(PARKING.name, self._application, record.partition_key)
            if only_if_marked and not stands(mark):
                return False
            writes: list[Write] = [self._mark(mark, record, reason, place)]
            writes += self._parts(key, place, record, reason)
            try:
                self._store.transact(writes)
            except ConditionFailedError:
                continue  # another shard's owner, or a redrive, has moved the mark
            logger.warning(
                "record parked",
                extra={
                    "application": self._application,
                    "partition_key": record.partition_key,
                    "shard_id": record.shard_id,
                    "sequence_number": str(record.position.sequence_number),
                    "subsequence_number": record.position.subsequence_number,
                    "reason": reason,
                },
            )
            return True
        raise ContentionError("TransactWriteItems")

    def _mark(self, mark: Item | None, record: DeliveredRecord, reason: str, place: str) -> Put:
        before = mark.attributes if mark and stands(mark) else {"count": 0}
        count = before["count"]
        assert isinstance(count, int)
        attributes: dict[str, Attribute] = {
            "reason": reason,
            "parked_at": self._clock().isoformat(),
            **before,
            "tail": place,
            "count": count + 1,
        }
        return Put(
            PARKING.name,
            self._application,
            attributes,
            mark.version if mark else None,
            sort=record.partition_key,
        )

    def _parts(self, key: str, place: str, record: DeliveredRecord, reason: str) -> list[Write]:
        body = zlib.compress(record.data)
        pieces = [body[start : start + _PART] for start in range(0, len(body), _PART)]
        first: dict[str, Attribute] = {
            "reason": reason,
            "shard_id": record.shard_id,
            "arrived_at": record.approximate_arrival.isoformat(),
            "parked_at": self._clock().isoformat(),
            "explicit_hash_key": record.explicit_hash_key,
            "parts": len(pieces),
        }
        return [
            Put(
                PARKING.name, key, {"body": piece, **({} if part else first)}, None, sort=f"{place}/{part:02}"
            )
            for part, piece in enumerate(pieces)
        ]


def stands(mark: Item | None) -> bool:
    """Whether there is a mark that was not lifted."""
    return mark is not None and LIFTED not in mark.attributes


def lifted(application: str, mark: Item) -> Put:
    """The write that lifts a mark if it stands as it was read."""
    return Put(PARKING.name, application, {LIFTED: True}, mark.version, sort=mark.sort)


def number_of(item: Item, name: str) -> int:
    """An attribute of a mark or an entry that is a number."""
    value = item.attributes[name]
    assert isinstance(value, int)
    return value
