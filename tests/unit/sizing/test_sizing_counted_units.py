"""Capacity units of counted DynamoDB requests, against sizes that AWS' documents give."""

import runpy
from pathlib import Path
from typing import Any

import pytest

CAPACITY = runpy.run_path(
    str(
        Path(__file__).parents[3]
        / "scripts"
        / "playground"
        / "benchmarks"
        / "calls_per_order"
        / "hook"
        / "capacity.py"
    )
)


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "abc"}}, 5),
        ({"pk": {"S": "ü"}}, 4),
        ({"n": {"N": "123"}}, 4),
        ({"n": {"N": "-1"}}, 3),
        ({"b": {"BOOL": True}}, 2),
        ({"x": {"B": "AAAA"}}, 4),
        ({"x": {"B": b"AAA"}}, 4),
        ({"m": {"M": {"a": {"S": "bc"}}}}, 1 + 3 + 1 + 1 + 2),
        ({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}, 1 + 3 + 1 + 2 + 1 + 1),
    ],
)
def test_an_item_is_as_large_as_its_names_and_values(item: dict[str, Any], size: int) -> None:
    """Text in UTF-8, two digits a byte and one more, three bytes for a map and one for each entry."""
    assert CAPACITY["item_bytes"](item) == size


def test_a_transaction_counts_twice_and_large_items_more() -> None:
    """One unit for each KiB of an item, two in a transaction; an update by its key and values."""
    large = {"pk": {"S": "a"}, "data": {"S": "x" * 1_500}}
    update = {"TableName": "t", "Key": {"pk": {"S": "a"}}, "ExpressionAttributeValues": {":n": {"N": "1"}}}
    items = [{"Put": {"TableName": "s", "Item": large}}, {"Update": update}]
    writes = CAPACITY["writes"]
    assert list(writes("TransactWriteItems", {"TransactItems": items})) == [("s", 4.0), ("t", 2.0)]
    assert list(writes("PutItem", {"TableName": "s", "Item": large})) == [("s", 2.0)]
    batch = {"RequestItems": {"s": [{"PutRequest": {"Item": large}}]}}
    assert list(writes("BatchWriteItem", batch)) == [("s", 2.0)]


def test_a_read_counts_what_it_found_and_at_least_one_unit() -> None:
    """4 KiB a unit, strongly consistent; a query by all its items together, a missing item as one."""
    item = {"pk": {"S": "x" * 3_000}}
    reads = CAPACITY["reads"]
    assert list(reads("GetItem", {"TableName": "t"}, {})) == [("t", 1.0)]
    assert list(reads("Query", {"TableName": "t"}, {"Items": [item, item]})) == [("t", 2.0)]
    asked = {"RequestItems": {"t": {"Keys": [{}, {}]}}}
    assert list(reads("BatchGetItem", asked, {"Responses": {"t": [item]}})) == [("t", 1.0), ("t", 1.0)]
