"""One suite for every implementation of the store: versions, floors, all or nothing."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from fakes.moto_aws import moto_client
from orderstream.errors import DependencyError
from orderstream_consumer.store import (
    Add,
    Check,
    ConditionFailedError,
    ContentionError,
    Delete,
    DynamoDBStore,
    Put,
    Store,
    TableSpec,
    create_tables,
)
from orderstream_consumer.testing import Fault, MemoryStore

TABLES = (TableSpec("things"), TableSpec("timers", sorted=True))


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each implementation in turn."""
    if request.param == "memory":
        yield MemoryStore()
        return
    with mock_aws():
        client = moto_client("dynamodb")
        create_tables(client, TABLES, "test-")
        create_tables(client, TABLES, "test-")  # again is harmless
        yield DynamoDBStore(client, "test-")
        client.close()


def attributes_of(store: Store, key: str) -> dict:
    item = store.get("things", key)
    assert item is not None
    return dict(item.attributes)


def test_what_is_put_is_read(store: Store) -> None:
    """Every kind of attribute comes back as it was put, and the first version is 1."""
    attributes = {
        "text": "é",
        "number": 2**64,
        "bytes": b"\x00\xff",
        "yes": True,
        "nothing": None,
        "list": [1, "a", [False]],
        "map": {"a": {"b": -1}},
    }
    store.transact([Put("things", "k", attributes, None)])
    item = store.get("things", "k")
    assert item is not None
    assert (item.key, item.sort, item.version, item.attributes) == ("k", None, 1, attributes)
    assert type(item.attributes["yes"]) is bool


def test_what_is_not_there_is_none(store: Store) -> None:
    """A missing item is None, and is left out of a batch."""
    store.transact([Put("things", "a", {}, None)])
    assert store.get("things", "b") is None
    assert set(store.get_many("things", ["a", "b", "a"])) == {"a"}


def test_put_demands_its_version(store: Store) -> None:
    """An item is made once, and replaced only by whoever has read its present version."""
    store.transact([Put("things", "k", {"n": 1}, None)])
    with pytest.raises(ConditionFailedError):
        store.transact([Put("things", "k", {"n": 2}, None)])
    store.transact([Put("things", "k", {"n": 3}, 1)])
    with pytest.raises(ConditionFailedError):
        store.transact([Put("things", "k", {"n": 4}, 1)])
    assert attributes_of(store, "k") == {"n": 3}


def test_add_keeps_its_floors(store: Store) -> None:
    """Counters change by their deltas, never below a floor, and the version goes up by one."""
    store.transact([Put("things", "sku", {"available": 3, "reserved": 0}, None)])
    take = Add("things", "sku", {"available": -2, "reserved": 2}, {"available": 2})
    store.transact([take])
    with pytest.raises(ConditionFailedError):
        store.transact([take])
    item = store.get("things", "sku")
    assert item is not None
    assert (item.version, item.attributes) == (2, {"available": 1, "reserved": 2})


def test_add_sets_what_else_is_to_be_there(store: Store) -> None:
    """With the counters or not at all: made, replaced, of any kind; the other attributes stay."""
    store.transact([Put("things", "sku", {"available": 3, "name": "x"}, None)])
    store.transact([Add("things", "sku", {"available": 1}, {}, sets={"event": "first", "map": {"a": [1]}})])
    store.transact([Add("things", "sku", {"available": 1}, {"available": 4}, sets={"event": "second"})])
    with pytest.raises(ConditionFailedError):
        store.transact([Add("things", "sku", {"available": -9}, {"available": 9}, sets={"event": "third"})])
    assert attributes_of(store, "sku") == {"available": 5, "name": "x", "event": "second", "map": {"a": [1]}}
    with pytest.raises(ValueError, match="both add to and set available"):
        store.transact([Add("things", "sku", {"available": 1}, {}, sets={"available": 0})])


def test_add_makes_no_item(store: Store) -> None:
    """Counters of an item that does not exist are not made by adding to them."""
    with pytest.raises(ConditionFailedError):
        store.transact([Add("things", "none", {"n": 1}, {})])
    assert store.get("things", "none") is None


def test_all_or_nothing_and_which_failed(store: Store) -> None:
    """One condition that fails undoes the whole transaction, and the error names its writes."""
    store.transact([Put("things", "a", {"n": 5}, None)])
    with pytest.raises(ConditionFailedError) as caught:
        store.transact(
            [
                Add("things", "a", {"n": -5}, {"n": 5}),
                Put("things", "b", {}, 7),
                Check("things", "c", None),
                Delete("things", "a2", 1),
            ]
        )
    assert caught.value.failed == (1, 3)
    assert attributes_of(store, "a") == {"n": 5}


def test_check_changes_nothing(store: Store) -> None:
    """A check holds the transaction to a version and leaves the item as it is."""
    store.transact([Put("things", "a", {}, None)])
    store.transact([Check("things", "a", 1), Put("things", "b", {}, None)])
    with pytest.raises(ConditionFailedError):
        store.transact([Check("things", "a", 2), Put("things", "c", {}, None)])
    item = store.get("things", "a")
    assert item is not None
    assert item.version == 1


def test_a_single_check_is_a_write_too(store: Store) -> None:
    """A transaction may be one check alone."""
    store.transact([Check("things", "a", None)])
    with pytest.raises(ConditionFailedError):
        store.transact([Check("things", "a", 1)])


def test_delete(store: Store) -> None:
    """Deleting demands the version if one is named; without one it is done again harmlessly."""
    store.transact([Put("things", "a", {}, None)])
    with pytest.raises(ConditionFailedError):
        store.transact([Delete("things", "a", 2)])
    store.transact([Delete("things", "a", 1)])
    store.transact([Delete("things", "a")])
    assert store.get("things", "a") is None


def test_query_in_the_order_of_the_sort_keys(store: Store) -> None:
    """A sorted table is read in order, up to a bound, and no further than a limit."""
    store.transact([Put("timers", "bucket", {"n": n}, None, sort=f"{n:03}") for n in (5, 1, 3)])
    store.transact([Put("timers", "other", {}, None, sort="000")])
    assert [item.sort for item in store.query("timers", "bucket")] == ["001", "003", "005"]
    assert [item.sort for item in store.query("timers", "bucket", sort_up_to="003")] == ["001", "003"]
    assert [item.sort for item in store.query("timers", "bucket", limit=1)] == ["001"]
    found = store.get("timers", "bucket", "003")
    assert found is not None
    store.transact([Delete("timers", "bucket", found.version, sort="003")])
    assert [item.sort for item in store.query("timers", "bucket")] == ["001", "005"]


def test_scan_reads_everything(store: Store) -> None:
    """A scan gives every item of its table and none of another."""
    for start in range(0, 120, 60):
        store.transact([Put("things", str(n), {}, None) for n in range(start, start + 60)])
    store.transact([Put("timers", "x", {}, None, sort="1")])
    assert {item.key for item in store.scan("things")} == {str(n) for n in range(120)}
    assert len(store.get_many("things", [str(n) for n in range(120)])) == 120


def test_what_no_transaction_can_hold_is_refused(store: Store) -> None:
    """No write, more than a hundred, or an item twice is a mistake of the caller."""
    with pytest.raises(ValueError, match="1 to 100"):
        store.transact([])
    with pytest.raises(ValueError, match="1 to 100"):
        store.transact([Put("things", str(n), {}, None) for n in range(101)])
    with pytest.raises(ValueError, match="twice"):
        store.transact([Put("things", "a", {}, None), Check("things", "a", None)])


def nested(levels: int) -> list:
    value: list = []
    for _ in range(levels - 1):
        value = [value]
    return value


AT_THE_LIMIT: list[Put] = [
    Put("things", "k" * 2_048, {}, None),
    Put("things", "\U0001f69a" * 512, {}, None),
    Put("timers", "k", {}, None, sort="s" * 1_024),
    Put("things", "digits", {"n": 10**38 - 1, "negative": 1 - 10**38}, None),
    Put("things", "magnitude", {"n": 10**125, "in a list": [(10**38 - 1) * 10**80]}, None),
    Put("things", "large", {"body": "x" * 404_000}, None),
    Put("things", "deep", {"list": nested(32)}, None),
    Put("things", "control", {"text": "\0\x1f\ufffe"}, None),
]

BEYOND: list[tuple[str, Put]] = [
    ("1 to 2,048 bytes", Put("things", "", {}, None)),
    ("1 to 2,048 bytes", Put("things", "k" * 2_049, {}, None)),
    ("1 to 2,048 bytes", Put("things", "\U0001f69a" * 513, {}, None)),
    ("1 to 1,024 bytes", Put("timers", "k", {}, None, sort="")),
    ("1 to 1,024 bytes", Put("timers", "k", {}, None, sort="s" * 1_025)),
    ("38 significant digits", Put("things", "k", {"n": 10**38 + 1}, None)),
    ("38 significant digits", Put("things", "k", {"n": -(2**128)}, None)),
    ("38 significant digits", Put("things", "k", {"n": [{"in": 10**126}]}, None)),
    ("409,600 bytes", Put("things", "k", {"body": b"x" * 400 * 1024}, None)),
    ("409,600 bytes", Put("things", "k", {"a" * 60_000: "\u00e9" * 180_000}, None)),
    ("32 levels", Put("things", "k", {"list": nested(33)}, None)),
    ("1 to 65,535 bytes", Put("things", "k", {"": 1}, None)),
    ("lone surrogates", Put("things", "k", {"text": "\ud800"}, None)),
    ("lone surrogates", Put("things", "\ud800", {}, None)),
]


@pytest.mark.parametrize("write", AT_THE_LIMIT, ids=lambda write: write.key[:9])
def test_what_dynamodb_just_takes_is_taken(store: Store, write: Put) -> None:
    """An item at a limit is put and comes back as it was."""
    store.transact([write])
    found = store.get(write.table, write.key, write.sort)
    assert found is not None
    assert found.attributes == write.attributes


@pytest.mark.parametrize(("limit", "write"), BEYOND)
def test_what_dynamodb_refuses_is_refused(store: Store, limit: str, write: Put) -> None:
    """An item beyond a limit is a mistake of the caller, alone and beside others, and nothing is written."""
    with pytest.raises(ValueError, match=limit):
        store.transact([write])
    with pytest.raises(ValueError, match=limit):
        store.transact([Put("things", "beside", {}, None), write])
    assert store.get("things", "beside") is None


def test_a_transaction_holds_four_mib(store: Store) -> None:
    """Twelve items of 349,000 bytes fit, one more does not."""
    body = b"x" * 349_000
    writes = [Put("things", str(number), {"body": body}, None) for number in range(13)]
    with pytest.raises(ValueError, match="4,194,304 bytes"):
        store.transact(writes)
    store.transact(writes[:12])


def test_no_item_has_an_impossible_key(store: Store) -> None:
    """DynamoDB refuses to look for one, too."""
    with pytest.raises(ValueError, match="key"):
        store.get("things", "")
    with pytest.raises(ValueError, match="key"):
        store.get_many("things", ["a", "k" * 2_049])
    with pytest.raises(ValueError, match="key"):
        store.query("timers", "")
    with pytest.raises(ValueError, match="key"):
        store.transact([Check("things", "", None)])
    with pytest.raises(ValueError, match="key"):
        store.transact([Delete("timers", "k", sort="s" * 1_025)])


def test_counters_keep_to_the_digits_of_a_number(store: Store) -> None:
    """A delta beyond 38 digits is refused, and so are more counters than an expression holds."""
    store.transact([Put("things", "sku", {"n": 1}, None)])
    with pytest.raises(ValueError, match="38 significant digits"):
        store.transact([Add("things", "sku", {"n": 10**38 + 1}, {})])
    with pytest.raises(ValueError, match="100 counters"):
        store.transact([Add("things", "sku", {f"n{number}": 1 for number in range(101)}, {})])
    store.transact([Add("things", "sku", {f"n{number}": 1 for number in range(100)}, {})])
    assert attributes_of(store, "sku")["n"] == 1


def test_a_sum_in_memory_keeps_to_the_digits_of_a_number() -> None:
    """DynamoDB refuses what would overflow, and changes nothing."""
    store = MemoryStore()
    store.transact([Put("things", "sku", {"n": 10**38 - 1}, None)])
    with pytest.raises(ValueError, match="38 significant digits"):
        store.transact([Put("things", "other", {}, None), Add("things", "sku", {"n": 2}, {})])
    assert store.get("things", "other") is None


@pytest.mark.parametrize(
    ("fault", "error", "written"),
    [
        (Fault.BEFORE, DependencyError, False),
        (Fault.AFTER, DependencyError, True),
        (Fault.CONFLICT, ContentionError, False),
    ],
)
def test_memory_fails_on_demand(fault: Fault, error: type[Exception], written: bool) -> None:
    """A fault before, after, or by conflict does what it says to the items."""
    store = MemoryStore(fault=lambda operation, _: fault if operation == "transact" else None)
    with pytest.raises(error):
        store.transact([Put("things", "a", {}, None)])
    assert (store.get("things", "a") is not None) is written


def test_item_of_somebody_else_is_taken_up() -> None:
    """An item that was put past the store has version 0: it is read, added to, and replaced under a guard."""
    with mock_aws():
        client = moto_client("dynamodb")
        create_tables(client, TABLES, "test-")
        store = DynamoDBStore(client, "test-")
        for key in ("a", "b"):
            client.put_item(TableName="test-things", Item={"pk": {"S": key}, "units": {"N": "5"}})
        found = store.get("things", "a")
        assert found is not None
        assert (found.version, found.attributes) == (0, {"units": 5})
        store.transact([Add("things", "a", {"units": -2}, {"units": 2}), Put("things", "b", {"units": 9}, 0)])
        assert [store.get("things", key).version for key in ("a", "b")] == [1, 1]  # type: ignore[union-attr]
        with pytest.raises(ConditionFailedError):
            store.transact([Put("things", "a", {"units": 9}, 0)])
        with pytest.raises(ConditionFailedError):
            store.transact([Check("things", "missing", 0)])
        client.close()
