"""Accepted orders in a DynamoDB table with the hash key ``pk``."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from orderstream.api.idempotency import Accepted, check_order_id, is_possible
from orderstream.errors import DependencyError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDBIdempotencyStore:
    """Keeps one item per order: ``pk`` (order id), ``digest``, ``placed_at``, ``event_id``.

    Args:
        client: A boto3 DynamoDB client with short time-outs: a caller waits for it.
        table: The table's full name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put_if_absent(self, order_id: str, accepted: Accepted) -> Accepted:
        """See ``IdempotencyStore.put_if_absent``."""
        check_order_id(order_id)
        item = {
            "pk": {"S": order_id},
            "digest": {"S": accepted.digest},
            "placed_at": {"S": accepted.placed_at.isoformat()},
            "event_id": {"S": accepted.event_id},
        }
        try:
            _call(
                "PutItem",
                self._client.put_item,
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            # Items are never deleted, so what stood in the way is still there.
            found = self.get(order_id)
            assert found is not None, "an accepted order is never forgotten"
            return found
        return accepted

    def get(self, order_id: str) -> Accepted | None:
        """See ``IdempotencyStore.get``."""
        if not is_possible(order_id):
            return None  # DynamoDB would refuse to look, which says nothing about an outage
        answer = _call(
            "GetItem",
            self._client.get_item,
            TableName=self._table,
            Key={"pk": {"S": order_id}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        if item is None:
            return None
        return Accepted(
            digest=item["digest"]["S"],
            placed_at=dt.datetime.fromisoformat(item["placed_at"]["S"]),
            event_id=item["event_id"]["S"],
        )


def _call(operation: str, call: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return call(**arguments)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code == "ConditionalCheckFailedException":
            raise
        raise DependencyError("dynamodb", operation, code) from error
    except BotoCoreError as error:
        raise DependencyError("dynamodb", operation, str(error)) from error
