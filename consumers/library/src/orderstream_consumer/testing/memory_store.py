"""The store in memory: exact, thread-safe, as strict as DynamoDB, and able to fail on demand."""

import threading
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from enum import Enum

from orderstream.errors import DependencyError
from orderstream_consumer.store.errors import ConditionFailedError, ContentionError
from orderstream_consumer.store.limits import check_key, check_number, check_writes
from orderstream_consumer.store.protocol import Add, Delete, Item, Put, Write


class Fault(Enum):
    """What can go wrong with one call."""

    BEFORE = "before"
    """The call fails and nothing was done."""
    AFTER = "after"
    """Everything was done, and the acknowledgement is lost."""
    CONFLICT = "conflict"
    """Another transaction is in the way; nothing was done."""


FaultHook = Callable[[str, Sequence[Write]], Fault | None]
"""Asked before each call with the operation and its writes (none for a read): which fault is to occur?"""

_Address = tuple[str, str, str | None]


class MemoryStore:
    """Keeps items in a dictionary.

    Args:
        fault: Decides which calls fail; by default none.
    """

    def __init__(self, fault: FaultHook | None = None) -> None:
        self._items: dict[_Address, Item] = {}
        self._fault = fault
        self._lock = threading.Lock()

    def get(self, table: str, key: str, sort: str | None = None) -> Item | None:
        """See ``Store.get``."""
        check_key(key, sort)
        self._fail_read("get")
        with self._lock:
            return deepcopy(self._items.get((table, key, sort)))

    def get_many(self, table: str, keys: Sequence[str]) -> dict[str, Item]:
        """See ``Store.get_many``."""
        for key in keys:
            check_key(key)
        self._fail_read("get_many")
        with self._lock:
            found = {key: self._items.get((table, key, None)) for key in keys}
            return {key: deepcopy(item) for key, item in found.items() if item is not None}

    def transact(self, writes: Sequence[Write]) -> None:
        """See ``Store.transact``."""
        check_writes(writes)
        fault = self._fault("transact", writes) if self._fault else None
        if fault is Fault.BEFORE:
            raise DependencyError("memory", "transact", "failed on demand, nothing was written")
        if fault is Fault.CONFLICT:
            raise ContentionError("transact")
        with self._lock:
            failed = tuple(index for index, write in enumerate(writes) if not self._holds(write))
            if failed:
                raise ConditionFailedError(failed)
            self._check_sums(writes)
            for write in writes:
                self._apply(write)
        if fault is Fault.AFTER:
            raise DependencyError("memory", "transact", "the acknowledgement was lost on demand")

    def query(self, table: str, key: str, *, sort_up_to: str | None = None, limit: int = 100) -> list[Item]:
        """See ``Store.query``."""
        check_key(key, sort_up_to)
        self._fail_read("query")
        with self._lock:
            found = [
                item
                for (its_table, its_key, sort), item in self._items.items()
                if (its_table, its_key) == (table, key) and sort is not None
                if sort_up_to is None or sort <= sort_up_to
            ]
        return deepcopy(sorted(found, key=lambda item: item.sort or "")[:limit])

    def scan(self, table: str) -> Iterator[Item]:
        """See ``Store.scan``."""
        self._fail_read("scan")
        with self._lock:
            found = [deepcopy(item) for address, item in self._items.items() if address[0] == table]
        return iter(found)

    def _fail_read(self, operation: str) -> None:
        if self._fault and self._fault(operation, ()) is not None:
            raise DependencyError("memory", operation, "failed on demand")

    def _holds(self, write: Write) -> bool:
        item = self._items.get((write.table, write.key, write.sort))
        if isinstance(write, Add):
            return item is not None and all(
                name in item.attributes and item.value(name, int) >= floor
                for name, floor in write.floors.items()
            )
        if isinstance(write, Delete) and write.expected_version is None:
            return True
        return (item.version if item else None) == write.expected_version

    def _check_sums(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if isinstance(write, Add):
                item = self._items[write.table, write.key, write.sort]
                for name, delta in write.deltas.items():
                    check_number(item.value(name, int, 0) + delta)

    def _apply(self, write: Write) -> None:
        address = (write.table, write.key, write.sort)
        if isinstance(write, Put):
            version = (write.expected_version or 0) + 1
            attributes = deepcopy(dict(write.attributes))
            self._items[address] = Item(write.table, write.key, write.sort, version, attributes)
        elif isinstance(write, Add):
            item = self._items[address]
            changed = {name: item.value(name, int, 0) + delta for name, delta in write.deltas.items()}
            self._items[address] = Item(
                item.table,
                item.key,
                item.sort,
                item.version + 1,
                {**item.attributes, **changed, **deepcopy(dict(write.sets))},
            )
        elif isinstance(write, Delete):
            self._items.pop(address, None)
