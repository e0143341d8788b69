"""The capacity units of each table that a request to DynamoDB uses.

A write is billed by the larger of the item before and after it, and a request says only what it writes: an
update is taken to be as large as its key and its values. That is a floor; it is exact as long as the whole
item fits into a KB. An index would be written too: no table of ours has one.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orderstream.aws.billing.item_sizes import (
    IN_TRANSACTION,
    item_bytes,
    read_units,
    value_bytes,
    write_units,
)
from orderstream.aws.billing.units import Used

BILLED_ERRORS: Final = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})
"""Refusals that DynamoDB bills like the write itself; no other error is billed."""


def table_writes(operation: str, request: Mapping[str, Any]) -> Iterator[Used]:
    """Yield the units of each item that a request writes, deletes or checks."""
    match operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield _written(request["TableName"], request)
        case "TransactWriteItems":
            for entry in request["TransactItems"]:
                (write,) = entry.values()
                yield _written(write["TableName"], write, IN_TRANSACTION)
        case "BatchWriteItem":
            for table, entries in request["RequestItems"].items():
                for entry in entries:
                    (write,) = entry.values()
                    yield _written(table, write)


def table_reads(operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[Used]:
    """Yield the units of what a request read; of items that are not there, too."""
    match operation:
        case "GetItem":
            yield _read(request["TableName"], [response.get("Item", {})], request)
        case "Query" | "Scan":
            yield _read(request["TableName"], response.get("Items", ()), request)
        case "BatchGetItem":
            for table, asked in request["RequestItems"].items():
                found = response.get("Responses", {}).get(table, ())
                missing: list[Mapping[str, Any]] = [{}] * (len(asked["Keys"]) - len(found))
                yield from (_read(table, [item], asked) for item in (*found, *missing))
        case "TransactGetItems":
            asked = [entry["Get"]["TableName"] for entry in request["TransactItems"]]
            found = response.get("Responses", [{}] * len(asked))
            for table, entry in zip(asked, found, strict=False):
                units = read_units(item_bytes(entry.get("Item", {})), consistent=True)
                yield Used("dynamodb_read", table, units * IN_TRANSACTION)


def _written(table: str, write: Mapping[str, Any], times: int = 1) -> Used:
    size = item_bytes(write.get("Item") or write["Key"])
    if "Item" not in write:
        size += sum(value_bytes(value) for value in write.get("ExpressionAttributeValues", {}).values())
    return Used("dynamodb_write", table, write_units(size) * times)


def _read(table: str, items: Sequence[Mapping[str, Any]], request: Mapping[str, Any]) -> Used:
    """One read; a page of a query is one read of all its items together."""
    size = sum(map(item_bytes, items))
    return Used("dynamodb_read", table, read_units(size, consistent=request.get("ConsistentRead", False)))
