"""Provisioning against AWS as moto plays it: in any region, among other things, as often as wanted."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from fakes.moto_aws import moto_client
from orderstream_workers.runtime.provision import ProvisionError, provision
from orderstream_workers.runtime.settings import Settings

SETTINGS = Settings(read_model_url="sqlite:///:memory:", table_prefix="shop-")


@pytest.fixture
def aws() -> Iterator[None]:
    """An AWS of moto's."""
    with mock_aws():
        yield


def client(service: str, region: str) -> Any:
    return moto_client(service, region_name=region)


def clients_in(region: str) -> Callable[[str], Any]:
    return lambda service: client(service, region)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_everything_is_made_in_the_region_that_is_meant(aws: None, region: str) -> None:
    """S3 wants the region named, except for the first one it had; doing all of it again changes nothing."""
    for _ in range(2):
        provision(SETTINGS, 2, clients_in(region))
    s3 = client("s3", region)
    assert s3.head_bucket(Bucket=SETTINGS.archive_bucket)["BucketRegion"] == region
    kinesis = client("kinesis", region)
    described = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]
    assert (described["OpenShardCount"], described["RetentionPeriodHours"]) == (2, 168)


def test_what_is_there_is_found_among_hundreds(aws: None) -> None:
    """Others' streams fill the pages of a list: ours is asked for by name, and kept as it is."""
    kinesis = client("kinesis", "eu-west-1")
    for number in range(120):
        kinesis.create_stream(StreamName=f"another-{number:03}", ShardCount=1)
    kinesis.create_stream(StreamName="orders", ShardCount=3)
    provision(SETTINGS, 1, clients_in("eu-west-1"))
    described = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]
    assert described["OpenShardCount"] == 3


def refusing(service: str, operation: str, code: str) -> Callable[[str], Any]:
    """Clients of which one is refused one call."""

    def make(asked: str) -> Any:
        made = client(asked, "eu-west-1")
        if asked == service:
            stubber = Stubber(made)
            stubber.add_client_error(operation, code, "not for you", 403)
            stubber.activate()
        return made

    return make


@pytest.mark.parametrize(
    ("service", "operation", "resource"),
    [
        ("kinesis", "describe_stream_summary", "Kinesis stream orders"),
        ("dynamodb", "describe_table", "DynamoDB table shop-"),
        ("sqs", "create_queue", "SQS queue orderstream-payments"),
        ("sns", "create_topic", "SNS topic orderstream-operators"),
        ("s3", "head_bucket", "S3 bucket orderstream-archive"),
        ("ses", "verify_email_identity", "SES identity orders@example.com"),
    ],
)
def test_what_is_refused_is_named(aws: None, service: str, operation: str, resource: str) -> None:
    """The resource that could not be had and the reason stand in the one sentence, with no empty promise."""
    with pytest.raises(ProvisionError, match=f"{resource}.*(AccessDenied|403)") as refused:
        provision(SETTINGS, 1, refusing(service, operation, "AccessDenied"))
    assert "tried again" not in str(refused.value)
