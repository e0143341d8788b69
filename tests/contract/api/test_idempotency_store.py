"""One suite for every memory of accepted orders."""

import datetime as dt
from collections.abc import Iterator

import pytest
from botocore.config import Config
from moto import mock_aws

from fakes.moto_aws import moto_client
from orderstream import DependencyError
from orderstream_orders.api import Accepted, DynamoDBIdempotencyStore, IdempotencyStore
from orderstream_orders.testing import MemoryIdempotencyStore

FIRST = Accepted("digest-1", dt.datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=dt.UTC), "event-1")
SECOND = Accepted(
    "digest-2", dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "event-2", b'{"some": "event"}' * 20_000
)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[IdempotencyStore]:
    """Each implementation in turn."""
    if request.param == "memory":
        yield MemoryIdempotencyStore()
        return
    with mock_aws():
        client = moto_client("dynamodb")
        client.create_table(
            TableName="keys",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoDBIdempotencyStore(client, "keys")
        client.close()


def test_the_first_stays(store: IdempotencyStore) -> None:
    """What was put first is what everybody is told, forever."""
    assert store.put_if_absent("order-1", FIRST) == FIRST
    assert store.put_if_absent("order-1", SECOND) == FIRST
    assert store.get("order-1") == FIRST


def test_orders_do_not_meet(store: IdempotencyStore) -> None:
    """An order that was never put is unknown, whatever else is there."""
    store.put_if_absent("order-1", FIRST)
    assert store.get("order-2") is None
    assert store.put_if_absent("order-2", SECOND) == SECOND


@pytest.mark.parametrize("order_id", ["", "o" * 2_049, "\u00e9" * 1_025, "\ud800"])
def test_an_id_that_no_order_can_have_is_unknown(store: IdempotencyStore, order_id: str) -> None:
    """Whoever asks for it is told that there is no such order, not that the table is out of reach."""
    assert store.get(order_id) is None
    with pytest.raises(ValueError, match="2,048 bytes"):
        store.put_if_absent(order_id, FIRST)


def test_the_longest_id_is_remembered(store: IdempotencyStore) -> None:
    """2,048 bytes are what a key of DynamoDB holds."""
    assert store.put_if_absent("o" * 2_048, FIRST) == FIRST
    assert store.get("o" * 2_048) == FIRST


def test_a_failing_table_is_a_dependency() -> None:
    """Neither a refusal nor an unreachable endpoint tells anything about the order."""
    with mock_aws():
        client = moto_client("dynamodb")
        with pytest.raises(DependencyError, match="ResourceNotFoundException"):
            DynamoDBIdempotencyStore(client, "missing").get("order-1")
        client.close()
    config = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    client = moto_client("dynamodb", endpoint_url="http://127.0.0.1:1", config=config)
    with pytest.raises(DependencyError, match="PutItem"):
        DynamoDBIdempotencyStore(client, "keys").put_if_absent("order-1", FIRST)
    client.close()
