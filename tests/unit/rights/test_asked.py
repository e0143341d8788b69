"""What IAM is asked for, call by call: AWS' service authorization reference."""

from typing import Any

import pytest

from orderstream.testing.state.iterators import ShardIterator, ShardsToken, encode
from rights.asked import asked

ITERATOR = encode(ShardIterator("orders", 1, "shardId-000000000000", 0, 0.0))
TOKEN = encode(ShardsToken("orders", 0, 0.0, None, None, None))
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/orders"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:letters"
CONSUMER = f"{STREAM}/consumer/saga:1"


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"),
    [
        ("dynamodb", "PutItem", {"TableName": "t"}, [("dynamodb:PutItem", f"{TABLE}t")]),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t"}},
                    {"ConditionCheck": {"TableName": "u"}},
                    {"Put": {"TableName": "t"}},
                ]
            },
            [("dynamodb:PutItem", f"{TABLE}t"), ("dynamodb:ConditionCheckItem", f"{TABLE}u")],
        ),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            [("dynamodb:Query", f"{TABLE}t/index/i")],
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "read-model"},
            [
                (
                    "secretsmanager:GetSecretValue",
                    "arn:aws:secretsmanager:us-east-1:000000000000:secret:read-model",
                )
            ],
        ),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"t": {}}}, [("dynamodb:BatchGetItem", f"{TABLE}t")]),
        ("dynamodb", "ListTables", {}, [("dynamodb:ListTables", "*")]),
        ("kinesis", "PutRecords", {"StreamName": "orders"}, [("kinesis:PutRecords", STREAM)]),
        ("kinesis", "GetRecords", {"ShardIterator": ITERATOR}, [("kinesis:GetRecords", STREAM)]),
        ("kinesis", "GetRecords", {"ShardIterator": "?"}, [("kinesis:GetRecords", "*")]),
        ("kinesis", "ListShards", {"NextToken": TOKEN}, [("kinesis:ListShards", STREAM)]),
        ("kinesis", "SubscribeToShard", {"ConsumerARN": CONSUMER}, [("kinesis:SubscribeToShard", CONSUMER)]),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": "http://x/000000000000/letters"},
            [("sqs:SendMessage", QUEUE)],
        ),
        ("sqs", "GetQueueUrl", {"QueueName": "letters"}, [("sqs:GetQueueUrl", QUEUE)]),
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:r:1:t"}, [("sns:Publish", "arn:aws:sns:r:1:t")]),
        (
            "ses",
            "SendEmail",
            {"Source": "a@b.c"},
            [("ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/a@b.c")],
        ),
        ("s3", "HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k/l"}, [("s3:GetObject", "arn:aws:s3:::b/k/l")]),
        ("s3", "DeleteObject", {"Bucket": "b", "Key": "k"}, [("s3:DeleteObject", "*")]),
        ("payments", "POST /charges", {}, [("unknown:POST /charges", "*")]),
    ],
)
def test_a_call_asks_for(
    service: str, operation: str, arguments: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """A transaction for each item's own action, a batch for the single action, a token for its stream."""
    assert [(one.action, one.resource) for one in asked(service, operation, arguments)] == expected
