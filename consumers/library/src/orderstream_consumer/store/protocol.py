"""What the store offers: consistent reads, and transactions of four kinds of writes.

Every item has a version, kept by the store: 1 when it is made, one more with each change. A write that
depends on what was read names the version that it has read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, TypeVar

from orderstream_consumer.store.errors import ItemUnreadableError

Kind = TypeVar("Kind")

Attribute: TypeAlias = "str | int | bytes | bool | list[Attribute] | dict[str, Attribute] | None"
"""What an item's attributes are made of. Numbers are integers of at most 38 significant digits.

A number that may be longer, such as a hash key or a sequence number, is stored as text.
"""

MAX_WRITES: Final = 100
"""Most writes of one transaction (DynamoDB's limit for TransactWriteItems)."""

MAX_ITEM_BYTES: Final = 400 * 1024
"""Largest item, the names of its attributes included (DynamoDB's "Quotas and limits")."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table to create.

    Attributes:
        name: Its name, without the environment's prefix.
        sorted: True if its items have a sort key beside their key.
        expires: Attribute with the seconds since the epoch after which DynamoDB deletes an item that has it,
            within days (Time to Live); None where items stay.
    """

    name: str
    sorted: bool = False
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """An item as it was read.

    Attributes:
        table: The table's name.
        key: The item's key.
        sort: Its sort key, in a sorted table.
        version: Its version, from 1; 0 if it was written without this store.
        attributes: Everything else.
    """

    table: str
    key: str
    sort: str | None
    version: int
    attributes: Mapping[str, Attribute]

    def value(self, name: str, kind: type[Kind], default: Kind | None = None) -> Kind:
        """An attribute, of the type that its service gives it.

        Args:
            name: The attribute.
            kind: Its type.
            default: The value of one that is not there; by default it has to be there.

        Raises:
            ItemUnreadableError: it is not there, or is of another type.
        """
        found = self.attributes.get(name, default)
        if not isinstance(found, kind):
            reason = f"{name} is no {kind.__name__}" if name in self.attributes else f"it has no {name}"
            raise ItemUnreadableError(f"the item {self.key!r} of table {self.table}", reason)
        return found


@dataclass(frozen=True, slots=True)
class Put:
    """Make or replace an item.

    Attributes:
        table: The table's name.
        key: The item's key.
        attributes: All of its attributes from now on.
        expected_version: The version that it must have; None where it must not exist.
        sort: Its sort key, in a sorted table.
    """

    table: str
    key: str
    attributes: Mapping[str, Attribute]
    expected_version: int | None
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Add:
    """Add to counters of an item that must exist, and set what else is to be there from then on.

    Attributes:
        table: The table's name.
        key: The item's key.
        deltas: What is added to which attribute.
        floors: What an attribute must be at least, before the change.
        sort: Its sort key, in a sorted table.
        sets: Attributes that are set, whatever they were; none of them is a counter of ``deltas``.
    """

    table: str
    key: str
    deltas: Mapping[str, int]
    floors: Mapping[str, int]
    sort: str | None = None
    sets: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """Change nothing, but require that an item still has a version (None: that it does not exist)."""

    table: str
    key: str
    expected_version: int | None
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an item.

    Attributes:
        table: The table's name.
        key: The item's key.
        expected_version: The version that it must have; None deletes whatever is there, if anything.
        sort: Its sort key, in a sorted table.
    """

    table: str
    key: str
    expected_version: int | None = None
    sort: str | None = None


Write: TypeAlias = Put | Add | Check | Delete


class Store(Protocol):
    """A conditional key-value store. Safe to use from many threads."""

    def get(self, table: str, key: str, sort: str | None = None) -> Item | None:
        """Read an item, strongly consistent; None if there is none.

        Raises:
            DependencyError: the store could not be reached.
        """

    def get_many(self, table: str, keys: Sequence[str]) -> dict[str, Item]:
        """Read items of a table without sort keys, each strongly consistent; missing ones are left out.

        Raises:
            DependencyError: the store could not be reached.
        """

    def transact(self, writes: Sequence[Write]) -> None:
        """Do all writes or none.

        Args:
            writes: 1 to 100, no item twice.

        Raises:
            ConditionFailedError: a condition does not hold; nothing was written.
            ContentionError: another transaction was in the way; nothing was written.
            DependencyError: the store could not be reached or its response was lost: the writes happened or
                not, read again to know.
            ValueError: the request can never be carried out, such as for an item over ``MAX_ITEM_BYTES``
                or a number of more than 38 digits, see ``limits``.
        """

    def query(self, table: str, key: str, *, sort_up_to: str | None = None, limit: int = 100) -> list[Item]:
        """Read the items of a key in a sorted table, in the order of their sort keys, strongly consistent.

        Args:
            table: The table's name.
            key: The key.
            sort_up_to: Only those whose sort key is at most this.
            limit: At most so many, the first ones.

        Raises:
            DependencyError: the store could not be reached.
        """

    def scan(self, table: str) -> Iterator[Item]:
        """Read every item of a table, page by page, strongly consistent item by item.

        Raises:
            DependencyError: the store could not be reached.
        """
