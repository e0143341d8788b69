"""A record that fails is sent to a queue whole, and a repetition is known as one."""

import base64
import datetime as dt
import json

import boto3
import pytest
from moto import mock_aws

from orderstream.errors import DependencyError
from orderstream_consumer import DeliveredRecord, Position
from orderstream_consumer.consumer.failures import QueueHandOver

RECORD = DeliveredRecord(
    shard_id="shardId-000000000000",
    position=Position(2**70, 3),
    partition_key="ключ 42",
    data=b"\x00\xff",
    approximate_arrival=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    explicit_hash_key=2**127,
)


@pytest.mark.parametrize("fifo", [False, True])
def test_a_record_is_sent_with_all_that_it_has(fifo: bool) -> None:
    """Whoever receives it can put it again; a FIFO queue drops a repetition."""
    with mock_aws():
        client = boto3.client(
            "sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        name, attributes = ("failed.fifo", {"FifoQueue": "true"}) if fifo else ("failed", {})
        url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        hand_over = QueueHandOver(client, url, "orders")
        for _ in range(2):
            hand_over(RECORD, "ValueError: no")
        received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        client.close()
    assert len(received) == (1 if fifo else 2)
    body = json.loads(received[0]["Body"])
    assert base64.b64decode(body.pop("data")) == RECORD.data
    assert body == {
        "stream": "orders",
        "shard_id": "shardId-000000000000",
        "sequence_number": str(2**70),
        "subsequence_number": 3,
        "partition_key": "ключ 42",
        "explicit_hash_key": str(2**127),
        "approximate_arrival": "2026-01-01T00:00:00+00:00",
        "reason": "ValueError: no",
    }


def test_a_queue_that_does_not_take_it_is_an_outage() -> None:
    """So the record is not passed: it is sent again."""
    with mock_aws():
        client = boto3.client(
            "sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        hand_over = QueueHandOver(client, "https://sqs.us-east-1.amazonaws.com/123456789012/none", "orders")
        with pytest.raises(DependencyError, match="SendMessage"):
            hand_over(RECORD, "ValueError: no")
        client.close()
