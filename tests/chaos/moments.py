"""Moments in a process's life, seen from what it asks of others; each is a test of a call and its reply."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from chaos.calls import Call, Reply

Moment = Callable[[Call, Reply | None], bool]
"""True once the moment has come: before the call is passed on (no reply), or before its reply is."""

_PREFIX = "orderstream-"


def committed(table: str, *, phase: str = "", held: int | None = None) -> Moment:
    """DynamoDB has written an item, and its writer does not know yet.

    Args:
        table: Name of its table, without the prefix.
        phase: What its state has to say.
        held: How many lines of a reservation have to be held.
    """

    def come(call: Call, reply: Reply | None) -> bool:
        if call.service != "dynamodb" or reply is None or not reply.ok:
            return False
        return any(
            (not phase or _phase(state) == phase) and (held is None or state["held"] == held)
            for state in _states(call, _PREFIX + table)
        )

    return come


def answered(service: str, operation: str) -> Moment:
    """A service has done what it was asked for, and the one who asked does not know yet."""

    def come(call: Call, reply: Reply | None) -> bool:
        named = call.service == service and call.operation.startswith(operation)
        return named and reply is not None and reply.ok

    return come


def asked(service: str, operation: str) -> Moment:
    """A service is about to be asked for something."""
    return lambda call, reply: (
        reply is None and call.service == service and call.operation.startswith(operation)
    )


def checkpoint(application: str) -> Moment:
    """An application is about to move a checkpoint forward."""
    table = f"{_PREFIX}{application}-consumer"

    def come(call: Call, reply: Reply | None) -> bool:
        if (call.service, call.operation, reply) != ("dynamodb", "UpdateItem", None):
            return False
        arguments = call.arguments
        return arguments["TableName"] == table and ":checkpoint" in arguments["ExpressionAttributeValues"]

    return come


def row_deleted(table: str, sort: str) -> Moment:
    """A row is about to be deleted."""

    def come(call: Call, reply: Reply | None) -> bool:
        if (call.service, call.operation, reply) != ("dynamodb", "DeleteItem", None):
            return False
        arguments = call.arguments
        return arguments["TableName"] == _PREFIX + table and arguments["Key"]["sk"]["S"] == sort

    return come


def after(first: Moment, then: Moment) -> Moment:
    """A moment that only counts once another has come; nobody is stopped at that one."""
    has_come = False

    def come(call: Call, reply: Reply | None) -> bool:
        nonlocal has_come
        if not has_come:
            has_come = first(call, reply)
            return False
        return then(call, reply)

    return come


def _phase(state: dict[str, Any]) -> str:
    phase: str = state.get("payment", state)["phase"]
    return phase


def _states(call: Call, table: str) -> Iterator[dict[str, Any]]:
    """The states that a call writes into a table."""
    arguments = call.arguments
    puts = [write["Put"] for write in arguments.get("TransactItems", []) if "Put" in write]
    for put in [arguments] if call.operation == "PutItem" else puts:
        if put["TableName"] == table and "state" in put["Item"]:
            yield json.loads(base64.b64decode(put["Item"]["state"]["B"]))
