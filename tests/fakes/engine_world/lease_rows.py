"""A DynamoDB table of leases, with the few expressions that they need, over the simulated network."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from typing import Any

from fakes.engine_world.network import Network
from fakes.engine_world.stream import client_error

Row = dict[str, Any]
_REFUSALS = ("ProvisionedThroughputExceededException", "InternalServerError", "ThrottlingException")


class LeaseRows:
    """The rows.

    Args:
        watch: Is shown every change: the row before it, None if there was none, and the row after it.
        deleted: Is told the key of each row that is deleted.
    """

    def __init__(self, watch: Callable[[Row | None, Row], None], deleted: Callable[[str], object]) -> None:
        self.rows: dict[str, Row] = {}
        self._watch = watch
        self._deleted = deleted

    def delete(self, key: str) -> None:
        if self.rows.pop(key, None) is not None:
            self._deleted(key)

    def write(self, row: Row) -> None:
        key = row["leaseKey"]["S"]
        before = self.rows.get(key)
        self.rows[key] = row
        self._watch(before, row)


class SimulatedDynamoDB:
    """A DynamoDB client of a simulated process.

    Args:
        rows: The one table.
        network: The way there.
        random: What it draws from.
        dies_creating: How much likelier than usual the process dies while it adds a row.
        last_creation: After how many rows that it added the process dies for sure; None for none.
    """

    def __init__(
        self,
        rows: LeaseRows,
        network: Network,
        random: Random,
        dies_creating: float = 20.0,
        last_creation: int | None = None,
    ) -> None:
        self._rows = rows
        self._network = network
        self._random = random
        self._dies_creating = dies_creating
        self._creations_left = last_creation

    def describe_table(self, **_: Any) -> Any:
        return {"Table": {"TableStatus": "ACTIVE"}}

    def scan(self, **request: Any) -> dict[str, Any]:
        page = self._random.choice((3, 100))

        def act() -> dict[str, Any]:
            after = request.get("ExclusiveStartKey", {"leaseKey": {"S": ""}})["leaseKey"]["S"]
            keys = [key for key in sorted(self._rows.rows) if key > after]
            items = [dict(self._rows.rows[key]) for key in keys[:page]]
            more = {"LastEvaluatedKey": {"leaseKey": {"S": keys[page - 1]}}} if len(keys) > page else {}
            return {"Items": items, "Count": len(items), **more}

        return self._call(act, "Scan")

    def get_item(self, **request: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            row = self._rows.rows.get(request["Key"]["leaseKey"]["S"])
            return {} if row is None else {"Item": dict(row)}

        return self._call(act, "GetItem")

    def put_item(self, **request: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            item = request["Item"]
            row = self._rows.rows.get(item["leaseKey"]["S"], {})
            _check(row, request, "PutItem")
            self._rows.write(dict(item))
            return {}

        created = self._call(act, "PutItem", dies=self._dies_creating)
        if self._creations_left is not None:
            self._creations_left -= 1
            if not self._creations_left:
                self._network.kill_caller()
        return created

    def delete_item(self, **request: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            row = self._rows.rows.get(request["Key"]["leaseKey"]["S"], {})
            _check(row, request, "DeleteItem")
            self._rows.delete(request["Key"]["leaseKey"]["S"])
            return {}

        return self._call(act, "DeleteItem")

    def update_item(self, **request: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            row = dict(self._rows.rows.get(request["Key"]["leaseKey"]["S"], request["Key"]))
            _check(row, request, "UpdateItem")
            names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
            assignments, removals = _update(request["UpdateExpression"])
            for name, value in assignments:
                row[names[name]] = values[value]
            for name in removals:
                row.pop(names.get(name, name), None)
            self._rows.write(row)
            return {"Attributes": dict(row)}

        return self._call(act, "UpdateItem")

    def _call(self, act: Callable[[], dict[str, Any]], operation: str, dies: float = 1.0) -> dict[str, Any]:
        """DynamoDB puts an id on whatever it says; what has none is a gateway's."""
        response = self._network.call(act, _REFUSALS, operation, dies)
        return {**response, "ResponseMetadata": {"RequestId": "simulated"}}


_ALTERNATIVES = re.compile(r"\((.+ (?:or|OR) .+)\)")
_CLAUSE = re.compile(r"attribute_not_exists\((?P<absent>\S+)\)|(?P<name>\S+) = (?P<value>\S+)")


def _check(row: Row, request: Mapping[str, Any], operation: str) -> None:
    """Refuse what its condition refuses: clauses joined by ``and``, with alternatives joined by ``or``."""
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    for alternatives in _condition(request.get("ConditionExpression", "")):
        if not any(
            row.get(names.get(name, name)) == (None if value is None else values[value])
            for name, value in alternatives
        ):
            raise client_error("ConditionalCheckFailedException", operation)


@lru_cache
def _update(expression: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What an update sets, names and values, and which names it removes."""
    setting, _, removing = expression.removeprefix("SET ").partition(" REMOVE ")
    assignments = [assignment.partition(" = ") for assignment in setting.split(", ")]
    return tuple((name, value) for name, _, value in assignments), tuple(filter(None, removing.split(", ")))


@lru_cache
def _condition(expression: str) -> tuple[tuple[tuple[str, str | None], ...], ...]:
    """The names that a condition compares, each with a value, or with None where it must be absent."""
    return tuple(
        tuple(_compared(one) for one in re.split(" (?:or|OR) ", _ALTERNATIVES.sub(r"\1", clause)))
        for clause in filter(None, re.split(" (?:and|AND) ", expression))
    )


def _compared(clause: str) -> tuple[str, str | None]:
    found = _CLAUSE.fullmatch(clause)
    assert found is not None, f"a condition that nobody taught this table: {clause}"
    return found["absent"] or found["name"], found["value"]
