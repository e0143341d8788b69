"""What botocore raises is translated once: by what the service said, and with what a person needs to know."""

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from orderstream.aws import (
    UnreadableResponseError,
    aws_calls,
    error_code,
    given_by_service,
    required,
)
from orderstream.errors import DependencyError, RequestInvalidError


@dataclass
class Meta:
    region_name: str = "eu-west-1"
    endpoint_url: str = "https://sqs.eu-west-1.amazonaws.com"


class Client:
    meta = Meta()


def translated(error: Exception) -> DependencyError:
    with (
        pytest.raises(DependencyError) as caught,
        aws_calls("sqs", "SendMessage", client=Client(), resource="payments", setting="PAYMENT_QUEUE"),
    ):
        raise error
    return caught.value


def refused(code: Any, message: Any = "said so", status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "SendMessage")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (refused("ExpiredTokenException"), "AWS_PROFILE"),
        (NoCredentialsError(), "AWS_PROFILE"),
        (refused("InvalidSignatureException"), "clock"),
        (refused("RequestTimeTooSkewed"), "clock"),
        (refused("AccessDeniedException"), "IAM"),
        (refused("AWS.SimpleQueueService.NonExistentQueue"), "PAYMENT_QUEUE"),
        (EndpointConnectionError(endpoint_url="http://x"), "AWS_ENDPOINT_URL"),
        (ReadTimeoutError(endpoint_url="http://x"), "AWS_REGION"),
    ],
)
def test_an_outage_tells_what_to_check(error: Exception, advice: str) -> None:
    """The text names service, operation, resource, region, endpoint and the setting that decides."""
    outage = translated(error)
    assert advice in outage.advice
    for part in (
        "sqs",
        "SendMessage",
        "payments",
        "eu-west-1",
        "https://sqs.eu-west-1.amazonaws.com",
        advice,
    ):
        assert part in str(outage)
    assert outage.retryable


@pytest.mark.parametrize(
    "error",
    [
        ResponseParserError("no XML"),
        KeyError("PublishResult"),
        AttributeError("'str' object has no attribute 'get'"),
        TypeError("'int' object is not iterable"),
        UnreadableResponseError("no MessageId"),
        ConnectionResetError(),
        refused(None, None, 502),
        ClientError({}, "SendMessage"),
    ],
    ids=repr,
)
def test_a_response_that_says_nothing_is_an_outage(error: Exception) -> None:
    """Nothing that a parser runs into ends a thread or blames the record."""
    assert translated(error).code


def test_a_page_does_not_fill_the_log() -> None:
    """The first lines of a page tell whose it is."""
    assert len(str(translated(refused("502", "<html>" * 10_000, 502)))) < 700


def test_a_request_that_cannot_be_written_is_not_retried() -> None:
    """Botocore refuses it before it is sent."""
    with pytest.raises(RequestInvalidError) as caught, aws_calls("sqs", "SendMessage"):
        raise ParamValidationError(report="no such member")
    assert not caught.value.retryable


def test_what_an_adapter_raises_itself_passes() -> None:
    """Our own errors are translated already."""
    inner = RequestInvalidError("sqs", "SendMessage", "x")
    with pytest.raises(RequestInvalidError) as caught, aws_calls("sqs", "SendMessage"):
        raise inner
    assert caught.value is inner


@pytest.mark.parametrize(("code", "expected"), [("X", "X"), (None, "400"), ("", "400")])
def test_without_a_code_the_status_stands_in(code: str | None, expected: str) -> None:
    """A gateway's error has no code of the service's."""
    assert error_code(refused(code)) == expected


@pytest.mark.parametrize("metadata", [{}, {"RequestId": ""}])
def test_a_response_without_request_id_is_not_the_services(metadata: dict[str, str]) -> None:
    """AWS puts an id on each response; a page under 200 has none."""
    with pytest.raises(UnreadableResponseError):
        given_by_service({"ResponseMetadata": metadata})


@pytest.mark.parametrize("value", [None, "", 5, ["x"]])
def test_a_required_member_has_its_type(value: object) -> None:
    """Missing, empty and foreign values are not taken on."""
    with pytest.raises(UnreadableResponseError, match="QueueUrl"):
        required({"QueueUrl": value}, "QueueUrl", str)
    assert required({"QueueUrl": "u"}, "QueueUrl", str) == "u"
