"""The size of a DynamoDB item, and the capacity units of its reads and writes, as AWS documents them.

Sizes are those of "DynamoDB item sizes and formats" in the developer guide (CapacityUnitCalculations): names
and text in UTF-8, a byte for two significant digits of a number and one more, three bytes for a list or map
and one for each of its entries. Units are those of "DynamoDB read and write operations"
(read-write-operations): a write takes one for each KB or part of it, a strongly consistent read one for each
4 KB or part of it, an eventually consistent one half of that, and a transaction twice as many.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

WRITE_BYTES: Final = 1_024
"""A write unit."""

READ_BYTES: Final = 4_096
"""A strongly consistent read unit."""

IN_TRANSACTION: Final = 2
"""Times the units that the same read or write takes outside of a transaction."""

EVENTUALLY: Final = 0.5
"""The share of a strongly consistent read that an eventually consistent one takes."""

_NESTED: Final = 3
_ENTRY: Final = 1
_BASE64: Final = 4


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the size of an item.

    Args:
        item: Its attributes, each with its type, as in a request of the low-level API.
    """
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """Return the size of an attribute's value.

    Args:
        value: With its type; of binary ones the bytes, or their text in base64.
    """
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return ceil(_significant_digits(content) / 2) + 1
        case "B":
            return len(content) if isinstance(content, bytes) else _decoded_bytes(content)
        case "M":
            return _NESTED + sum(
                _ENTRY + len(name.encode()) + value_bytes(each) for name, each in content.items()
            )
        case "L":
            return _NESTED + sum(_ENTRY + value_bytes(each) for each in content)
        case "SS" | "NS" | "BS":
            return sum(value_bytes({kind[0]: each}) for each in content)
        case _:  # BOOL, NULL
            return 1


def write_units(size: int) -> float:
    """Return the units of one write outside of a transaction, of an item of so many bytes."""
    return float(max(1, ceil(size / WRITE_BYTES)))


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of one read of so many bytes outside of a transaction; of what is not there, too."""
    return max(1, ceil(size / READ_BYTES)) * (1.0 if consistent else EVENTUALLY)


def _significant_digits(number: str) -> int:
    mantissa = number.lower().partition("e")[0].lstrip("+-")
    whole, _, fraction = mantissa.partition(".")
    return len((whole + fraction).strip("0"))


def _decoded_bytes(text: str) -> int:
    return len(text) // _BASE64 * 3 - text.count("=")
