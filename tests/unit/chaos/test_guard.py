"""The guard reads a call off its protocol, knows its caller by the signature, refuses as the service does."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chaos.calls import Call
from chaos.gateway import Gateway
from chaos.guard import Guard
from rights.policy import Decision, Statement
from rights.roles import bucket_policies, roles

NOTHING_RUNS_THERE = "http://127.0.0.1:9"

CALLS = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"pk": {"S": "a"}}}, "AccessDeniedException"),
    "kinesis": (
        "put_records",
        {"StreamName": "s", "Records": [{"Data": b"", "PartitionKey": "k"}]},
        "AccessDeniedException",
    ),
    "sqs": ("get_queue_url", {"QueueName": "q"}, "AccessDenied"),
    "sns": (
        "publish",
        {"TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": "m"},
        "AuthorizationError",
    ),
    "ses": ("get_identity_verification_attributes", {"Identities": ["a@b.c"]}, "AccessDenied"),
    "s3": ("get_object", {"Bucket": "b", "Key": "k/l"}, "AccessDenied"),
}


@pytest.fixture
def guard() -> Guard:
    document = {"Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": "*"}
    return Guard({"saga": (Statement.of(document),)}, without_role=frozenset({"api"}))


@pytest.fixture
def gateway(guard: Guard) -> Iterator[Gateway]:
    with Gateway(guard=guard) as gateway:
        yield gateway


def client(gateway: Gateway, service: str, key: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=gateway.url("anybody", NOTHING_RUNS_THERE),
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize("service", CALLS)
def test_a_refusal_is_the_services_own(gateway: Gateway, guard: Guard, service: str) -> None:
    """boto3 reads the code that the service would give, and the message names caller, action and resource."""
    operation, arguments, code = CALLS[service]
    refused = client(gateway, service, "shipping")
    with pytest.raises(ClientError) as failed:
        getattr(refused, operation)(**arguments)
    refused.close()
    assert failed.value.response["Error"]["Code"] == code
    (refusal,) = guard.refusals
    assert refusal.caller == "shipping"
    for part in ("orderstream-shipping", refusal.request.action, refusal.request.resource):
        assert part in failed.value.response["Error"]["Message"]


@pytest.mark.parametrize(("key", "service"), [("saga", "sqs"), ("api", "dynamodb")])
def test_what_is_allowed_goes_on(gateway: Gateway, guard: Guard, key: str, service: str) -> None:
    """To the server, which is not there: what a role allows, and all of a process that has no role yet."""
    operation, arguments, _ = CALLS[service]
    allowed = client(gateway, service, key)
    with pytest.raises(Exception, match=re.compile("connect", re.IGNORECASE)):
        getattr(allowed, operation)(**arguments)
    allowed.close()
    assert guard.refusals == []


@pytest.mark.parametrize(("header", "refused"), [("", True), ("*", False)])
def test_the_archive_refuses_a_put_that_could_replace(header: str, refused: bool) -> None:
    """A put without ``If-None-Match`` meets the Deny of the bucket's policy, whatever the role allows."""
    guard = Guard(roles(), bucket_policies())
    call = Call("archiver", "s3", "PUT /orderstream-archive/a/b.jsonl", b"", "archiver", header)
    assert (guard.refusal(call) is not None) is refused
    assert [refusal.decision for refusal in guard.refusals] == [Decision.DENIED] * refused
