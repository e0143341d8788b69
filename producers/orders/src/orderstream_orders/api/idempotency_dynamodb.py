"""Accepted orders in a DynamoDB table with the hash key ``pk``."""

import datetime as dt
import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

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
from orderstream_orders.api.idempotency import Accepted, check_order_id, is_possible

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class DynamoDBIdempotencyStore:
    """Keeps an item a request: ``pk``, ``digest``, ``placed_at``, ``event_id``, ``event`` (zlib), ``caller``.

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
        item: dict[str, AttributeValueTypeDef] = {
            "pk": {"S": order_id},
            "digest": {"S": accepted.digest},
            "placed_at": {"S": accepted.placed_at.isoformat()},
            "event_id": {"S": accepted.event_id},
        }
        if accepted.event is not None:
            item["event"] = {"B": zlib.compress(accepted.event)}
        if accepted.caller is not None:
            item["caller"] = {"S": accepted.caller}
        try:
            with self._calls("PutItem", expecting("ConditionalCheckFailedException")):
                response = self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                )
                given_by_service(response)
        except ExpectedRefusalError:
            # Items are never deleted, so the conflicting one is still there.
            found = self.get(order_id)
            assert found is not None, "an accepted order is never forgotten"
            return found
        return accepted

    def get(self, order_id: str) -> Accepted | None:
        """See ``IdempotencyStore.get``."""
        if not is_possible(order_id):
            return None  # DynamoDB would refuse to look, which says nothing about an outage
        with self._calls("GetItem"):
            response = given_by_service(
                self._client.get_item(TableName=self._table, Key={"pk": {"S": order_id}}, ConsistentRead=True)
            )
            if "Item" not in response:
                return None
            digest, placed_at, event_id = (
                required(required(response["Item"], name, dict), "S", str)
                for name in ("digest", "placed_at", "event_id")
            )
            return Accepted(
                digest=digest,
                placed_at=dt.datetime.fromisoformat(placed_at),
                event_id=event_id,
                event=_event(response["Item"]),
                caller=_caller(response["Item"]),
            )

    def _calls(self, operation: str, refusals: Refusals = no_refusals) -> AbstractContextManager[None]:
        return aws_calls("dynamodb", operation, client=self._client, resource=self._table, refusals=refusals)


def _event(item: Mapping[str, Any]) -> bytes | None:
    if "event" not in item:
        return None
    try:
        return zlib.decompress(required(required(item, "event", dict), "B", bytes))
    except zlib.error as error:
        raise UnreadableResponseError(f"the item's event cannot be read: {error}") from error


def _caller(item: Mapping[str, Any]) -> str | None:
    return required(required(item, "caller", dict), "S", str) if "caller" in item else None
