"""Capacity units of DynamoDB requests, reckoned from the items in them as AWS documents sizes and rounding.

An item's size is that of its attribute names and values. A write takes one unit for each KiB or part of it,
in a transaction two; a strongly consistent read one for each 4 KiB or part of it. An update is taken to be as
large as its key and its values, which is a floor: the request does not say what else the item holds.
"""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

WRITE_BYTES, READ_BYTES = 1_024, 4_096
_IN_TRANSACTION = 2
_NESTED, _EACH = 3, 1  # bytes of a list or map, and of each of its entries


def value_bytes(value: Mapping[str, Any]) -> int:
    """Return the size of an attribute's value, as in a request or in a parsed response."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return ceil(len(content.strip("-").replace(".", "")) / 2) + 1
        case "B":
            return len(content) * 3 // 4 if isinstance(content, str) else len(content)
        case "M":
            return _NESTED + sum(_EACH + len(name.encode()) + value_bytes(v) for name, v in content.items())
        case "L":
            return _NESTED + sum(_EACH + value_bytes(each) for each in content)
        case "SS" | "NS" | "BS":
            return sum(value_bytes({kind[0]: each}) for each in content)
        case _:  # BOOL, NULL
            return 1


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the size of an item."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def writes(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the table and the units of each item that a request writes, deletes or checks."""
    match operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield _write(request)
        case "TransactWriteItems":
            for entry in request["TransactItems"]:
                (write,) = entry.values()
                table, units = _write(write)
                yield table, units * _IN_TRANSACTION
        case "BatchWriteItem":
            for table, entries in request["RequestItems"].items():
                for entry in entries:
                    (write,) = entry.values()
                    yield _write({"TableName": table, **write})


def _write(write: Mapping[str, Any]) -> tuple[str, float]:
    size = item_bytes(write.get("Item") or write["Key"])
    if "Item" not in write:
        size += sum(value_bytes(value) for value in write.get("ExpressionAttributeValues", {}).values())
    return write["TableName"], _units(size, WRITE_BYTES)


def reads(
    operation: str, request: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the table and the units of what a request read; of items that are not there, too."""
    match operation:
        case "GetItem":
            yield request["TableName"], _units(item_bytes(response.get("Item", {})), READ_BYTES)
        case "Query" | "Scan":
            yield request["TableName"], _units(sum(map(item_bytes, response.get("Items", ()))), READ_BYTES)
        case "BatchGetItem":
            for table, asked in request["RequestItems"].items():
                found = response.get("Responses", {}).get(table, ())
                yield from ((table, _units(item_bytes(item), READ_BYTES)) for item in found)
                yield from ((table, 1.0) for _ in range(len(asked["Keys"]) - len(found)))


def _units(size: int, unit: int) -> float:
    return float(max(1, ceil(size / unit)))
