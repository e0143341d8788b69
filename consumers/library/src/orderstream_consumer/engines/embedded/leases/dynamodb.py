"""Leases in DynamoDB, laid out as KCL 3 writes them, so that an application can move between the engines.

An item has the hash key ``leaseKey`` and the attributes of ``items.py``; the index
``LeaseOwnerToLeaseKeyIndex`` is what KCL 3 creates and expects. Updates touch only the attributes that we
own; whatever else an item holds, stays. Two of KCL's go with what they belong to, as KCL would have it: the
worker that still had to checkpoint when a lease changed hands (its successor would not touch the lease), and
a checkpoint that was prepared.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Final

from orderstream.aws import (
    ExpectedRefusalError,
    Refusals,
    UnreadableResponseError,
    aws_calls,
    expecting,
    given_by_service,
    no_refusals,
    required,
)
from orderstream_consumer.engines.embedded.leases.items import STREAM, lease_from_item, lease_to_item
from orderstream_consumer.engines.embedded.leases.lease import Lease
from orderstream_consumer.store import is_usable, wait_until_usable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OWNER_INDEX: Final = "LeaseOwnerToLeaseKeyIndex"
"""KCL 3's index of leases by owner."""

_HAND_OVER: Final = ("checkpointOwner",)
_PREPARED: Final = ("pendingCheckpoint", "pendingCheckpointSubSequenceNumber", "pendingCheckpointState")


class DynamoDBLeaseTable:
    """A lease table in DynamoDB.

    Args:
        client: A boto3 DynamoDB client, best with botocore's own retries off and a timeout below the failover
            time.
        table_name: The table; KCL names it after the application.
        creates: Whether ``create_table`` creates the table where it is missing. Default True; False where
            it is provisioned: then it is only read and written.
    """

    def __init__(self, client: "DynamoDBClient", table_name: str, *, creates: bool = True) -> None:
        self._client = client
        self._table = table_name
        self._creates = creates

    def create_table(self) -> None:
        """See ``LeaseTable.create_table``; billed per request.

        A table that exists is described only: where it is provisioned, no right to create tables is needed.
        """
        if not self._creates or is_usable(self._client, self._table):
            return
        with suppress(ExpectedRefusalError), self._calls("CreateTable", expecting("ResourceInUseException")):
            response = self._client.create_table(
                TableName=self._table,
                KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
                AttributeDefinitions=[
                    {"AttributeName": "leaseKey", "AttributeType": "S"},
                    {"AttributeName": "leaseOwner", "AttributeType": "S"},
                ],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": OWNER_INDEX,
                        "KeySchema": [
                            {"AttributeName": "leaseOwner", "KeyType": "HASH"},
                            {"AttributeName": "leaseKey", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                ],
                BillingMode="PAY_PER_REQUEST",
            )
            required(required(response, "TableDescription", dict), "TableStatus", str)
        wait_until_usable(self._client, self._table)

    def list_leases(self) -> list[Lease]:
        """See ``LeaseTable.list_leases``; a row that cannot be read must not pass for none."""
        leases: list[Lease] = []
        start: dict[str, Any] = {}
        while True:
            request = {"TableName": self._table, "ConsistentRead": True, **start}
            with self._calls("Scan"):
                response = given_by_service(self._client.scan(**request))
                items = required(response, "Items", list)
                if required(response, "Count", int) != len(items):
                    raise UnreadableResponseError("its response counts other items than it holds")
                leases += [lease for item in items if (lease := _lease(item)) is not None]
            if not response.get("LastEvaluatedKey"):
                return leases
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    def get(self, lease_key: str) -> Lease | None:
        """See ``LeaseTable.get``."""
        with self._calls("GetItem"):
            response = given_by_service(
                self._client.get_item(
                    TableName=self._table, Key={"leaseKey": {"S": lease_key}}, ConsistentRead=True
                )
            )
            return _lease(response["Item"]) if "Item" in response else None

    def create_if_absent(self, lease: Lease) -> bool:
        """See ``LeaseTable.create_if_absent``."""
        return self._conditionally(
            "PutItem",
            lambda: self._client.put_item(
                TableName=self._table,
                Item=lease_to_item(lease),
                ConditionExpression="attribute_not_exists(leaseKey)",
            ),
        )

    def replace(self, held: Lease, successor: Lease) -> bool:
        """See ``LeaseTable.replace``; attributes that do not differ are not written.

        But for the stream, which the row may not say yet.
        """
        before, after = lease_to_item(held), lease_to_item(successor)
        changed = [name for name in after if after[name] != before.get(name) or name == STREAM]
        dropped = [name for name in before if name not in after]
        if held.lease_owner != successor.lease_owner:
            dropped += _HAND_OVER
        if held.checkpoint != successor.checkpoint:
            dropped += _PREPARED
        values: dict[str, Any] = {f":{name}": after[name] for name in changed}
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in changed)
        if dropped:
            update += " REMOVE " + ", ".join(f"#{name}" for name in dropped)
        names = {f"#{name}": name for name in {*changed, *dropped}}
        return self._conditionally(
            "UpdateItem",
            lambda: self._client.update_item(
                TableName=self._table,
                Key={"leaseKey": {"S": held.lease_key}},
                UpdateExpression=update,
                ConditionExpression=_condition(held),
                ExpressionAttributeNames=names | _CONDITION_NAMES,
                ExpressionAttributeValues=values | _condition_values(held),
            ),
        )

    def delete(self, lease: Lease) -> bool:
        """See ``LeaseTable.delete``."""
        return self._conditionally(
            "DeleteItem",
            lambda: self._client.delete_item(
                TableName=self._table,
                Key={"leaseKey": {"S": lease.lease_key}},
                ConditionExpression=_condition(lease),
                ExpressionAttributeNames=_CONDITION_NAMES,
                ExpressionAttributeValues=_condition_values(lease),
            ),
        )

    def _conditionally(self, operation: str, write: Callable[[], Mapping[str, Any]]) -> bool:
        try:
            with self._calls(operation, expecting("ConditionalCheckFailedException")):
                given_by_service(write())
        except ExpectedRefusalError:
            return False  # another worker was faster: the lease is not what we hold it for
        return True

    def _calls(self, operation: str, refusals: Refusals = no_refusals) -> AbstractContextManager[None]:
        return aws_calls("dynamodb", operation, client=self._client, resource=self._table, refusals=refusals)


def _lease(item: Any) -> Lease | None:
    try:
        required(required(item, "leaseKey", dict), "S", str)
        return lease_from_item(item)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"this is no row of a lease: {str(item)[:200]} ({error!r})"
        raise UnreadableResponseError(reason) from error


_IN_VERSION: Final = ("leaseOwner", "leaseCounter", "checkpoint", "checkpointSubSequenceNumber", STREAM)
_CONDITION_NAMES: Final = {f"#{name}": name for name in _IN_VERSION}


def _condition(held: Lease) -> str:
    owner = "attribute_not_exists(#leaseOwner)" if held.lease_owner is None else "#leaseOwner = :heldOwner"
    sub = "#checkpointSubSequenceNumber = :heldSub"
    if held.position is None or not held.position.subsequence_number:
        sub = f"(attribute_not_exists(#checkpointSubSequenceNumber) or {sub})"
    stream = f"attribute_not_exists(#{STREAM})"
    if held.stream is not None:
        stream = f"({stream} or #{STREAM} = :heldStream)"
    return (
        f"#leaseCounter = :heldCounter and {owner} and #checkpoint = :heldCheckpoint and {sub} and {stream}"
    )


def _condition_values(held: Lease) -> dict[str, Any]:
    item = lease_to_item(held)
    values = {
        ":heldCounter": item["leaseCounter"],
        ":heldCheckpoint": item["checkpoint"],
        ":heldSub": item["checkpointSubSequenceNumber"],
    }
    if held.lease_owner is not None:
        values[":heldOwner"] = item["leaseOwner"]
    if held.stream is not None:
        values[":heldStream"] = item[STREAM]
    return values
