"""The store on DynamoDB. Tables have the hash key ``pk`` and, where sorted, the range key ``sk``."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from orderstream.aws import UnreadableResponseError, aws_calls, given_by_service, required
from orderstream.errors import DependencyError, RequestInvalidError
from orderstream_consumer.store.errors import ConditionFailedError, ContentionError, ItemUnreadableError
from orderstream_consumer.store.limits import check_key, check_writes
from orderstream_consumer.store.protocol import Add, Attribute, Check, Delete, Item, Put, Write
from orderstream_consumer.store.tables import SETTING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient

_VERSION: Final = "version"
_GET_BATCH: Final = 100
"""Most keys of one BatchGetItem."""


class DynamoDBStore:
    """Keeps items in DynamoDB tables.

    Args:
        client: A boto3 DynamoDB client, best with botocore's own retries off: callers retry.
        table_prefix: Put before the name of every table.
    """

    def __init__(self, client: "DynamoDBClient", table_prefix: str = "") -> None:
        self._client = client
        self._prefix = table_prefix

    def get(self, table: str, key: str, sort: str | None = None) -> Item | None:
        """See ``Store.get``."""
        check_key(key, sort)
        response = self._call(
            "GetItem",
            self._client.get_item,
            TableName=self._prefix + table,
            Key=_key(key, sort),
            ConsistentRead=True,
        )
        return _item(table, response["Item"]) if "Item" in response else None

    def get_many(self, table: str, keys: Sequence[str]) -> dict[str, Item]:
        """See ``Store.get_many``."""
        name = self._prefix + table
        found: dict[str, Item] = {}
        unique = list(dict.fromkeys(keys))
        for key in unique:
            check_key(key)
        waiting = [_key(key, None) for key in unique]
        while waiting:
            batch, waiting = waiting[:_GET_BATCH], waiting[_GET_BATCH:]
            request = {name: {"Keys": batch, "ConsistentRead": True}}
            raws, unprocessed = self._get_batch(name, request)
            if len(unprocessed) == len(batch):
                raise DependencyError(
                    "dynamodb", "BatchGetItem", "it processed none of the keys", resource=name
                )
            for raw in raws:
                item = _item(table, raw)
                found[item.key] = item
            waiting += unprocessed
        return found

    def transact(self, writes: Sequence[Write]) -> None:
        """See ``Store.transact``. A single write goes as a plain conditional write, at half the price."""
        check_writes(writes)
        if len(writes) == 1 and not isinstance(writes[0], Check):
            self._write_one(writes[0])
            return
        # The token makes a repetition inside botocore harmless; it is for this call only.
        token = str(uuid.uuid4())
        self._call(
            "TransactWriteItems",
            self._client.transact_write_items,
            TransactItems=[self._transact_item(write) for write in writes],
            ClientRequestToken=token,
        )

    def query(self, table: str, key: str, *, sort_up_to: str | None = None, limit: int = 100) -> list[Item]:
        """See ``Store.query``."""
        check_key(key, sort_up_to)
        condition, values = "pk = :key", {":key": {"S": key}}
        if sort_up_to is not None:
            condition, values = condition + " and sk <= :upto", values | {":upto": {"S": sort_up_to}}
        items: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            response = self._call(
                "Query",
                self._client.query,
                TableName=self._prefix + table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                Limit=limit,
                **start,
            )
            items += [_item(table, raw) for raw in response["Items"]]
            if len(items) >= limit or "LastEvaluatedKey" not in response:
                return items[:limit]
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    def scan(self, table: str) -> Iterator[Item]:
        """See ``Store.scan``."""
        start: dict[str, Any] = {}
        while True:
            response = self._call(
                "Scan", self._client.scan, TableName=self._prefix + table, ConsistentRead=True, **start
            )
            yield from (_item(table, raw) for raw in response["Items"])
            if "LastEvaluatedKey" not in response:
                return
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    def _write_one(self, write: Put | Add | Delete) -> None:
        request = self._request(write)
        if isinstance(write, Put):
            self._call("PutItem", self._client.put_item, **request)
        elif isinstance(write, Add):
            self._call("UpdateItem", self._client.update_item, **request)
        else:
            self._call("DeleteItem", self._client.delete_item, **request)

    def _call(self, operation: str, method: Callable[..., Any], **request: Any) -> Mapping[str, Any]:
        """Make a call, and see that the response has what is taken from it."""
        resource = request.get("TableName") or f"the tables {self._prefix}*"
        with aws_calls(
            "dynamodb", operation, client=self._client, resource=resource, setting=SETTING, refusals=_refused
        ):
            response = given_by_service(method(**request))
            if operation in {"Scan", "Query"}:
                items = required(response, "Items", list)
                if required(response, "Count", int) != len(items):
                    raise UnreadableResponseError("its response counts other items than it holds")
                for raw in items:
                    _check_item(raw)
            elif "Item" in response:
                _check_item(response["Item"])
            return response

    def _get_batch(self, name: str, request: Any) -> tuple[list[Any], list[Any]]:
        """The items found, and the keys that were not processed."""
        with aws_calls(
            "dynamodb",
            "BatchGetItem",
            client=self._client,
            resource=name,
            setting=SETTING,
            refusals=_refused,
        ):
            response = given_by_service(self._client.batch_get_item(RequestItems=request))
            unprocessed = ((response.get("UnprocessedKeys") or {}).get(name) or {}).get("Keys") or []
            responses = required(response, "Responses", dict)
            # A table of whose keys nothing was processed may be missing; any other one is there.
            found = responses.get(name, []) if unprocessed else required(responses, name, list)
            for raw in found:
                _check_item(raw)
            return found, unprocessed

    def _transact_item(self, write: Write) -> Any:
        names = {Put: "Put", Add: "Update", Check: "ConditionCheck", Delete: "Delete"}
        return {names[type(write)]: self._request(write)}

    def _request(self, write: Write) -> dict[str, Any]:
        request: dict[str, Any] = {"TableName": self._prefix + write.table}
        key = _key(write.key, write.sort)
        if isinstance(write, Add):
            return request | {"Key": key} | _update(write)
        if isinstance(write, Put):
            attributes = {name: _encoded(value) for name, value in write.attributes.items()}
            version = {"N": str((write.expected_version or 0) + 1)}
            request["Item"] = {**attributes, **key, _VERSION: version}
        else:
            request["Key"] = key
        if isinstance(write, Delete) and write.expected_version is None:
            return request
        if write.expected_version is None:
            return request | {"ConditionExpression": "attribute_not_exists(pk)"}
        if write.expected_version == 0:
            return request | {
                "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(#version)",
                "ExpressionAttributeNames": {"#version": _VERSION},
            }
        return request | {
            "ConditionExpression": "#version = :expected",
            "ExpressionAttributeNames": {"#version": _VERSION},
            "ExpressionAttributeValues": {":expected": {"N": str(write.expected_version)}},
        }


def _refused(code: str, error: "ClientError") -> Exception | None:
    """What DynamoDB says about the writes themselves.

    A missing right or table is none of that: an operator fixes it and the records go on; parking would blame
    them.
    """
    operation = error.operation_name
    if code == "ConditionalCheckFailedException":
        return ConditionFailedError((0,))
    if code in {"TransactionConflictException", "TransactionInProgressException"}:
        return ContentionError(operation)
    if code == "TransactionCanceledException":
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        failed = tuple(index for index, reason in enumerate(reasons) if reason == "ConditionalCheckFailed")
        if failed:
            return ConditionFailedError(failed)
        if "TransactionConflict" in reasons:
            return ContentionError(operation)
        if "ValidationError" in reasons:
            code = "ValidationException"  # such as an item that grew beyond its limit
    if code == "ValidationException":
        # A request that DynamoDB can never carry out is a mistake of ours, not an outage.
        return RequestInvalidError("dynamodb", operation, str(error))
    return None


def _key(key: str, sort: str | None) -> dict[str, Any]:
    return {"pk": {"S": key}} if sort is None else {"pk": {"S": key}, "sk": {"S": sort}}


def _update(write: Add) -> dict[str, Any]:
    names, values = {"#version": _VERSION}, {":one": {"N": "1"}}
    additions, conditions = ["#version :one"], ["attribute_exists(pk)"]
    for index, (name, delta) in enumerate(write.deltas.items()):
        names[f"#d{index}"], values[f":d{index}"] = name, {"N": str(delta)}
        additions.append(f"#d{index} :d{index}")
    for index, (name, floor) in enumerate(write.floors.items()):
        names[f"#f{index}"], values[f":f{index}"] = name, {"N": str(floor)}
        conditions.append(f"#f{index} >= :f{index}")
    settings = []
    for index, (name, value) in enumerate(write.sets.items()):
        names[f"#s{index}"], values[f":s{index}"] = name, _encoded(value)
        settings.append(f"#s{index} = :s{index}")
    return {
        "UpdateExpression": "ADD "
        + ", ".join(additions)
        + (" SET " + ", ".join(settings) if settings else ""),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _check_item(raw: Any) -> None:
    """See that an item has DynamoDB's form; what its attributes mean is seen later, and is its own fault."""
    if not isinstance(raw, dict) or not all(
        isinstance(value, dict) and len(value) == 1 for value in raw.values()
    ):
        raise UnreadableResponseError("its response has an item that is none")
    required(required(raw, "pk", dict), "S", str)


def _item(table: str, raw: Any) -> Item:
    values = {name: _decoded(value) for name, value in raw.items()}
    # An item that was put without this store, with the console or a script, has no version yet.
    key, sort, version = values.pop("pk"), values.pop("sk", None), values.pop(_VERSION, 0)
    if not isinstance(key, str) or not isinstance(version, int) or not isinstance(sort, str | None):
        raise ItemUnreadableError(f"the item {key!r} of table {table}", "its key or version is none of ours")
    return Item(table, key, sort, version, values)


def _encoded(value: Attribute) -> dict[str, Any]:
    match value:
        case bool():  # before int, which it also is
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case list():
            return {"L": [_encoded(one) for one in value]}
        case dict():
            return {"M": {name: _encoded(one) for name, one in value.items()}}


def _decoded(raw: Mapping[str, Any]) -> Attribute:
    ((kind, value),) = raw.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return _whole(value)
        case "L":
            return [_decoded(one) for one in value]
        case "M":
            return {name: _decoded(one) for name, one in value.items()}
        case _:
            plain: str | bytes | bool = value
            return plain


def _whole(text: str) -> int:
    """A number as it was written, with an exponent or without: the items of others hold any."""
    number = Decimal(text)
    if number != number.to_integral_value():
        raise ValueError(f"an item holds {text} where a whole number is expected")
    return int(number)
