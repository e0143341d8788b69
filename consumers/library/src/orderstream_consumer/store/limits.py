"""What DynamoDB refuses whatever the table holds: one set of checks for every implementation of the store.

The figures are those of "Quotas and limits" and of "DynamoDB item sizes and formats" in the developer guide.
A request beyond them is a mistake of the caller and fails the same way on every implementation, before it is
sent: no retry can help, and a double that took it would hide the mistake until production.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from orderstream_consumer.store.protocol import (
    MAX_ITEM_BYTES,
    MAX_WRITES,
    Add,
    Attribute,
    Put,
    Write,
)

MAX_KEY_BYTES: Final = 2_048
"""Longest key of an item, UTF-8."""

MAX_SORT_BYTES: Final = 1_024
"""Longest sort key of an item, UTF-8."""

MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
"""Largest sum of the items of one transaction."""

MAX_COUNTERS: Final = 100
"""Most counters, floors and settings, each, of one ``Add``: an expression holds 4 KB and 300 operators."""

_DIGITS: Final = 38
"""Significant digits of a number."""
_MAX_MAGNITUDE: Final = 10**126
"""Numbers are smaller than this."""
_MAX_NAME_BYTES: Final = 65_535
"""Longest name of an attribute, UTF-8."""
_MAX_DEPTH: Final = 32
"""Levels of lists and maps inside each other."""
_VERSION_BYTES: Final = len("version") + 20
_KEY_NAMES_BYTES: Final = len("pk") + len("sk")


def check_writes(writes: Sequence[Write]) -> None:
    """Refuse a transaction that no table can take.

    Raises:
        ValueError: it has no write, too many, an item twice, or one of them is beyond a limit.
    """
    if not 1 <= len(writes) <= MAX_WRITES:
        raise ValueError(f"a transaction has 1 to {MAX_WRITES} writes, not {len(writes)}")
    if len({(write.table, write.key, write.sort) for write in writes}) != len(writes):
        raise ValueError("a transaction cannot write an item twice")
    size = sum(_checked_size(write) for write in writes)
    if size > MAX_TRANSACTION_BYTES:
        raise ValueError(
            f"a transaction holds {MAX_TRANSACTION_BYTES:,} bytes at most, this one has {size:,}"
        )


def check_key(key: str, sort: str | None = None) -> None:
    """Refuse a key that no item can have.

    Raises:
        ValueError: it is empty, too long, or no Unicode text.
    """
    _check_length("key", key, MAX_KEY_BYTES)
    if sort is not None:
        _check_length("sort key", sort, MAX_SORT_BYTES)


def check_number(number: int) -> None:
    """Refuse a number with more than 38 significant digits, or of a magnitude of 10**126 or more.

    Raises:
        ValueError: it is such a number.
    """
    if -(10**_DIGITS) < number < 10**_DIGITS:
        return
    if not -_MAX_MAGNITUDE < number < _MAX_MAGNITUDE or len(str(abs(number)).rstrip("0")) > _DIGITS:
        raise ValueError(
            f"a number has at most {_DIGITS} significant digits, this one is {number:.6e}; make it text"
        )


def _check_length(what: str, text: str, limit: int) -> None:
    length = len(_encoded(text))
    if not 1 <= length <= limit:
        raise ValueError(f"a {what} has 1 to {limit:,} bytes, this one has {length:,}")


def _checked_size(write: Write) -> int:
    """Bytes of the item that a write names, as far as the write shows."""
    check_key(write.key, write.sort)
    keys = len(write.key.encode()) + len((write.sort or "").encode()) + _KEY_NAMES_BYTES
    if isinstance(write, Add):
        for members in (write.deltas, write.floors, write.sets):
            if len(members) > MAX_COUNTERS:
                raise ValueError(f"an Add has {MAX_COUNTERS} counters at most, this one has {len(members)}")
        if overlapping := write.deltas.keys() & write.sets.keys():
            raise ValueError(f"an Add cannot both add to and set {', '.join(sorted(overlapping))}")
        return keys + sum(
            _size_of_members(members, 1) for members in (write.deltas, write.floors, write.sets)
        )
    if not isinstance(write, Put):
        return keys
    size = keys + _size_of_members(write.attributes, 1) + _VERSION_BYTES
    if size > MAX_ITEM_BYTES:
        raise ValueError(f"an item holds {MAX_ITEM_BYTES:,} bytes at most, this one has {size:,}")
    return size


def _size(value: Attribute, depth: int) -> int:
    match value:
        case None | bool():
            return 1
        case str():
            return len(_encoded(value))
        case bytes():
            return len(value)
        case int():
            check_number(value)
            return (len(str(abs(value))) + 1) // 2 + 2
        case list():
            _check_depth(depth)
            return sum(_size(one, depth + 1) + 1 for one in value) + 3
        case dict():
            _check_depth(depth)
            return _size_of_members(value, depth + 1) + len(value) + 3


def _size_of_members(members: Mapping[str, Attribute], depth: int) -> int:
    size = 0
    for name, value in members.items():
        _check_length("name", name, _MAX_NAME_BYTES)
        size += len(name.encode()) + _size(value, depth)
    return size


def _check_depth(depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"lists and maps are nested {_MAX_DEPTH} levels deep at most")


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text has characters that Unicode does not have (lone surrogates)") from error
