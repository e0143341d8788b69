"""What AWS bills for a request, against sizes and steps that AWS' documents give."""

from typing import Any

import pytest

from orderstream.aws.billing import UNITS, Used, billed, by_service, item_bytes, unit_prices


def units(service: str, operation: str, request: dict[str, Any], **response: Any) -> list[tuple[str, float]]:
    return [(used.resource, used.amount) for used in billed(service, operation, request, response)]


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "abc"}}, 5),
        ({"pk": {"S": "ü"}}, 4),
        ({"n": {"N": "123"}}, 4),
        ({"n": {"N": "-1"}}, 3),
        ({"n": {"N": "1200"}}, 3),
        ({"n": {"N": "0012.5E+3"}}, 4),
        ({"b": {"BOOL": True}}, 2),
        ({"b": {"NULL": True}}, 2),
        ({"x": {"B": "AAAA"}}, 4),
        ({"x": {"B": "AA=="}}, 2),
        ({"x": {"B": b"AAA"}}, 4),
        ({"s": {"SS": ["ab", "c"]}}, 4),
        ({"m": {"M": {"a": {"S": "bc"}}}}, 1 + 3 + 1 + 1 + 2),
        ({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}, 1 + 3 + 1 + 2 + 1 + 1),
    ],
)
def test_an_item_is_as_large_as_its_names_and_values(item: dict[str, Any], size: int) -> None:
    """UTF-8, two significant digits a byte and one more, three bytes for a map and one for each entry."""
    assert item_bytes(item) == size


def test_a_transaction_counts_twice_and_large_items_more() -> None:
    """One unit for each KB of an item, two in a transaction; an update by its key and values."""
    large = {"pk": {"S": "a"}, "data": {"S": "x" * 1_500}}
    update = {"TableName": "t", "Key": {"pk": {"S": "a"}}, "ExpressionAttributeValues": {":n": {"N": "1"}}}
    items = [{"Put": {"TableName": "s", "Item": large}}, {"Update": update}]
    assert units("dynamodb", "TransactWriteItems", {"TransactItems": items}) == [("s", 4.0), ("t", 2.0)]
    assert units("dynamodb", "PutItem", {"TableName": "s", "Item": large}) == [("s", 2.0)]
    batch = {"RequestItems": {"s": [{"PutRequest": {"Item": large}}]}}
    assert units("dynamodb", "BatchWriteItem", batch) == [("s", 2.0)]


def test_a_write_that_its_condition_refuses_is_billed_and_an_outage_is_not() -> None:
    """DynamoDB has looked at the item by then; what it never reached it does not bill."""
    request = {"TableName": "s", "Item": {"pk": {"S": "a"}}}
    refused, throttled = (
        units("dynamodb", "PutItem", request, Error={"Code": code})
        for code in ("ConditionalCheckFailedException", "ThrottlingException")
    )
    assert (refused, throttled) == ([("s", 1.0)], [])


def test_a_read_counts_what_it_found_and_at_least_one_unit() -> None:
    """4 KB a unit if it is consistent and half of it if not; a query by its page, a missing item as one."""
    item, asked = {"pk": {"S": "x" * 3_000}}, {"TableName": "t", "ConsistentRead": True}
    assert units("dynamodb", "GetItem", asked) == [("t", 1.0)]
    assert units("dynamodb", "GetItem", {"TableName": "t"}) == [("t", 0.5)]
    assert units("dynamodb", "Query", asked, Items=[item, item]) == [("t", 2.0)]
    assert units("dynamodb", "Query", {"TableName": "t"}, Items=[item, item]) == [("t", 1.0)]
    keys = {"RequestItems": {"t": {"Keys": [{}, {}], "ConsistentRead": True}}}
    assert units("dynamodb", "BatchGetItem", keys, Responses={"t": [item]}) == [("t", 1.0), ("t", 1.0)]
    both = {"TransactItems": [{"Get": {"TableName": "t"}}, {"Get": {"TableName": "u"}}]}
    found = [{"Item": {"pk": {"S": "x" * 5_000}}}, {}]
    assert units("dynamodb", "TransactGetItems", both, Responses=found) == [("t", 4.0), ("u", 2.0)]


@pytest.mark.parametrize(
    ("service", "operation", "request_", "response", "amount"),
    [
        ("kinesis", "PutRecords", {"Records": [{"Data": b"x"}, {"Data": b"x" * 25_001}]}, {}, 3.0),
        ("kinesis", "PutRecord", {"Data": b""}, {}, 1.0),
        ("sqs", "SendMessage", {"MessageBody": "x" * 65_536}, {}, 1.0),
        ("sqs", "SendMessage", {"MessageBody": "x" * 65_537}, {}, 2.0),
        ("sqs", "SendMessageBatch", {"Entries": [{"MessageBody": "x" * 40_000}] * 2}, {}, 2.0),
        ("sqs", "ReceiveMessage", {}, {"Messages": [{"Body": "x" * 70_000}]}, 2.0),
        ("sqs", "ReceiveMessage", {}, {}, 1.0),
        ("sns", "Publish", {"Message": "low stock"}, {}, 1.0),
        ("ses", "SendEmail", {"Destination": {"ToAddresses": ["a", "b"], "BccAddresses": ["c"]}}, {}, 3.0),
        ("ses", "SendRawEmail", {"Destinations": ["a"]}, {}, 1.0),
        ("s3", "PutObject", {}, {}, 1.0),
        ("s3", "HeadObject", {}, {}, 1.0),
    ],
)
def test_other_services_bill_by_their_own_steps(
    service: str, operation: str, request_: dict[str, Any], response: dict[str, Any], amount: float
) -> None:
    """25 KB of a record, 64 KB of a queue's payload, each recipient of a mail."""
    assert sum(used.amount for used in billed(service, operation, request_, response)) == amount


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "DeleteObject"),
        ("kinesis", "GetRecords"),
        ("ses", "GetSendQuota"),
        ("sts", "GetCallerIdentity"),
    ],
)
def test_what_is_free_is_not_billed(service: str, operation: str) -> None:
    """Deletions of S3, reads of a provisioned stream by polling, questions to SES and STS."""
    assert list(billed(service, operation, {})) == []


def test_every_unit_has_a_price_and_adds_up_by_service() -> None:
    """A Region's prices are complete or none: half a sum would look like all of it."""
    prices = unit_prices("us-east-1")
    assert prices is not None
    assert set(prices) == set(UNITS)
    sums = by_service({"dynamodb_write": 2e6, "dynamodb_read": 1e6, "ses_mail": 1_000.0}, prices)
    assert sums == pytest.approx({"DynamoDB": 2 * 0.625 + 0.125, "SES": 0.10})
    assert unit_prices("ap-northeast-1") is None
    assert unit_prices("mars-1") is None
    assert {used.unit for used in (*billed("s3", "PutObject", {}), Used("log_byte", "", 1.0))} <= set(UNITS)
