"""The SNS adapter against SNS as moto plays it, and against its errors."""

import json
from collections.abc import Iterator

import pytest
from botocore.stub import Stubber
from moto import mock_aws
from msgspec import structs

from fakes.moto_aws import moto_client
from fakes.operators import MemoryOperators
from orderstream.errors import DependencyError
from orderstream_workers.services.notifications import LowStockAlert, SnsOperators

ALERT = LowStockAlert(
    event_id="e-1", sku="85123A", available=96, threshold=100, at="2010-12-01T08:26:00+00:00"
)


def client_of(service: str):
    return moto_client(service)


@pytest.fixture
def sns() -> Iterator:
    with mock_aws():
        made = client_of("sns")
        yield made
        made.close()


def test_an_alert_reaches_whoever_subscribed(sns) -> None:
    """The message is the alert as JSON, for people and programs; the subject names the SKU."""
    sqs = client_of("sqs")
    topic = sns.create_topic(Name="operators")["TopicArn"]
    queue = sqs.create_queue(QueueName="operators")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    SnsOperators(sns, topic).notify(ALERT)
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.close()
    received = json.loads(message["Body"])
    assert received["Subject"] == "Low stock: 85123A"
    assert json.loads(received["Message"]) == {
        "event_id": "e-1",
        "sku": "85123A",
        "available": 96,
        "threshold": 100,
        "at": "2010-12-01T08:26:00+00:00",
    }


@pytest.mark.parametrize("sku", ["é\n" * 128, " " * 256])
def test_a_subject_is_one_short_line_of_ascii(sku: str) -> None:
    """SNS refuses any other; the message itself keeps the SKU as it is."""
    client = client_of("sns")
    with Stubber(client) as stub:
        stub.add_response(
            "publish",
            {"MessageId": "m"},
            {
                "TopicArn": "arn:aws:sns:us-east-1:1:t",
                "Subject": ("Low stock: " + "?" * 256)[:99],
                "Message": json.dumps(
                    {
                        "event_id": "e-1",
                        "sku": sku,
                        "available": 96,
                        "threshold": 100,
                        "at": "2010-12-01T08:26:00+00:00",
                    },
                    separators=(",", ":"),
                    ensure_ascii=False,
                ),
            },
        )
        SnsOperators(client, "arn:aws:sns:us-east-1:1:t").notify(
            LowStockAlert(event_id="e-1", sku=sku, available=96, threshold=100, at=ALERT.at)
        )
    client.close()


@pytest.mark.parametrize("implementation", ["memory", "sns"])
def test_a_message_beyond_what_a_topic_takes_is_refused(sns, implementation: str) -> None:
    """It is a mistake of the caller on every implementation, and no outage."""
    topic = sns.create_topic(Name="operators")["TopicArn"]
    operators = MemoryOperators() if implementation == "memory" else SnsOperators(sns, topic)
    operators.notify(structs.replace(ALERT, sku="x" * 262_000))
    with pytest.raises(ValueError, match="262,144 bytes"):
        operators.notify(structs.replace(ALERT, sku="x" * 262_144))


@pytest.mark.parametrize("code", ["Throttled", "InternalError", "NotFound", "AuthorizationError"])
def test_whatever_the_topic_refuses_is_tried_again(code: str) -> None:
    """None of it says anything about the alert, and an operator mends the rest."""
    client = client_of("sns")
    with Stubber(client) as stub:
        stub.add_client_error("publish", code)
        with pytest.raises(DependencyError):
            SnsOperators(client, "arn:aws:sns:us-east-1:1:t").notify(ALERT)
    client.close()
