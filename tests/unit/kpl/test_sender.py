from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    CredentialRetrievalError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from fakes.bare_machine import forget_aws
from fakes.kpl import TinyClient, client_error
from orderstream import AwsSettingsError, Producer, ProducerConfig
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.messages import (
    MapFailed,
    MapLoaded,
    RequestCompleted,
    RequestFailed,
    SendPutRecords,
)
from orderstream.producer.outcome import Acknowledged, Completion, Failure
from orderstream.producer.requests.sender import Sender
from orderstream.producer.requests.target import Target, kinesis_client

ENTRY = KinesisRecord([], b"data", "key", "7", aggregated=False, user_bytes=7, completion=Completion())
REQUEST = SendPutRecords(1, [ENTRY])
ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"


class Answering:
    """Answers every call with the same thing."""

    def __init__(self, response: Any) -> None:
        self.response = response

    def put_records(self, **request: Any) -> Any:
        return self.response

    def list_shards(self, **request: Any) -> Any:
        if isinstance(self.response, Exception):
            raise self.response
        return self.response


def sender(client: Any, stream: str = "orders") -> Sender:
    return Sender(client, Target(stream, client))


def test_a_request_names_the_stream_and_carries_the_entries() -> None:
    """Stream, data, partition key and hash key arrive as boto3 wants them; the response is in their order."""
    client = TinyClient()
    completed = sender(client, "orders").put_records(REQUEST)
    assert completed == RequestCompleted(1, (Acknowledged("shardId-000000000000", "0"),))
    assert client.requests == [
        {
            "StreamName": "orders",
            "Records": [{"Data": b"data", "PartitionKey": "key", "ExplicitHashKey": "7"}],
        }
    ]


def test_refused_entries_come_back_with_their_code() -> None:
    """A partial failure tells per entry what happened and whether a retry helps."""
    entries = [{"ErrorCode": "InternalFailure", "ErrorMessage": "oops"}]
    completed = sender(Answering({"Records": entries}), "orders").put_records(REQUEST)
    assert completed == RequestCompleted(1, (Failure("InternalFailure", "oops", retryable=True),))


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (client_error("ProvisionedThroughputExceededException"), True),
        (client_error("InternalFailure", 500), True),
        (client_error("502", 502), True),
        (client_error("AccessDeniedException"), False),
        (client_error("ResourceNotFoundException"), False),
        (ReadTimeoutError(endpoint_url="http://kinesis"), True),
        (ConnectionClosedError(endpoint_url="http://kinesis"), True),
        (EndpointConnectionError(endpoint_url="http://kinesis"), True),
        (ConnectionResetError(), True),
        (ResponseParserError("not what Kinesis says"), True),
        (CredentialRetrievalError(provider="role", error_msg="later"), True),
        (client_error("ExpiredTokenException"), True),
        (client_error("InvalidSignatureException"), True),
        (client_error("UnrecognizedClientException", 403), True),
        (client_error("403", 403), True),
        (IncompleteReadError(actual_bytes=3, expected_bytes=300), True),
        (TokenRetrievalError(provider="sso", error_msg="the session has ended"), True),
        (AttributeError("'list' object has no attribute 'get'"), True),
        (NoCredentialsError(), False),
        (ParamValidationError(report="too long"), False),
    ],
)
def test_failed_calls_are_told_apart(error: Exception, retryable: bool) -> None:
    """Whatever is raised becomes a failure the core understands, by the kind of the error."""
    client = TinyClient()
    client.failures = [error]
    failed = sender(client, "orders").put_records(REQUEST)
    assert isinstance(failed, RequestFailed)
    assert failed.failure.retryable is retryable
    listed = sender(Answering(error), "orders").list_shards()
    assert isinstance(listed, MapFailed)
    assert listed.failure == failed.failure


NOT_OBJECTS = (None, [], [1], "text", 7, True, {}, {"Records": None}, {"Shards": None})


@pytest.mark.parametrize(
    "response",
    [*NOT_OBJECTS, {"Records": []}, {"Records": {}}, {"Records": "x"}, {"Records": [1, 2]}],
    ids=repr,
)
def test_a_response_that_says_nothing_of_the_records_counts_as_lost(response: object) -> None:
    """Without one result for each entry nobody knows which record was taken: all are sent again."""
    failed = sender(Answering(response), "orders").put_records(REQUEST)
    assert isinstance(failed, RequestFailed)
    assert failed.failure.retryable
    assert failed.failure.code == "UnreadableResponse"


@pytest.mark.parametrize(
    "entry",
    [None, [], "text", 7, {}, {"ShardId": "s"}, {"ShardId": None, "SequenceNumber": "1"}, {"ErrorCode": 7}],
    ids=repr,
)
def test_a_result_that_says_nothing_concerns_its_own_entry(entry: object) -> None:
    """The other entries keep their results; this one is sent again."""
    taken = {"ShardId": "s", "SequenceNumber": "1"}
    two = SendPutRecords(1, [ENTRY, ENTRY])
    completed = sender(Answering({"Records": [taken, entry]}), "orders").put_records(two)
    assert isinstance(completed, RequestCompleted)
    first, second = completed.results
    assert first == Acknowledged("s", "1")
    assert isinstance(second, Failure)
    assert second.retryable


RANGE = {"StartingHashKey": "0", "EndingHashKey": "9"}


@pytest.mark.parametrize(
    "response",
    [
        *NOT_OBJECTS,
        {"Shards": {}},
        {"Shards": [None]},
        {"Shards": [{}]},
        {"Shards": [{"ShardId": "s", "HashKeyRange": RANGE}]},
        {"Shards": [{"ShardId": "s", "HashKeyRange": "0-9", "SequenceNumberRange": {}}]},
        {
            "Shards": [
                {"ShardId": "s", "HashKeyRange": {**RANGE, "EndingHashKey": 9}, "SequenceNumberRange": {}}
            ]
        },
        {"Shards": [{"ShardId": 1, "HashKeyRange": RANGE, "SequenceNumberRange": {}}]},
        {"Shards": [], "NextToken": 7},
        {"Shards": [], "NextToken": "the same again"},
    ],
    ids=repr,
)
def test_a_listing_that_is_none_is_asked_for_again(response: object) -> None:
    """Whatever stands in the place of the shards, the core hears of it, and the listing ends."""
    failed = sender(Answering(response), "orders").list_shards()
    assert isinstance(failed, MapFailed)
    assert failed.failure.retryable


@pytest.mark.parametrize("stream", ["orders", ARN])
def test_the_map_is_read_page_by_page(stream: str) -> None:
    """All pages make one map; a token names the stream by itself: Kinesis refuses name or ARN beside it."""
    client = TinyClient(shards=3)
    client.kinesis.split(client.kinesis.open[0], 1000)
    client.page_size = 2
    loaded = sender(client, stream).list_shards()
    assert loaded == MapLoaded(client.kinesis.shards)
    assert client.requests[1:] == [{"NextToken": "2"}, {"NextToken": "4"}]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine that knows nothing of AWS."""
    forget_aws(monkeypatch, tmp_path)
    return monkeypatch


@pytest.mark.usefixtures("credentials")
def test_the_own_client_neither_retries_nor_waits_long() -> None:
    """The producer retries by itself, and a lost response must not hold its slots for a minute."""
    config = ProducerConfig(region_name="eu-west-1", endpoint_url="http://127.0.0.1:1", read_timeout=3.0)
    client = kinesis_client(config)
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert client.meta.config.read_timeout == 3.0
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    client.close()


@pytest.mark.usefixtures("credentials")
def test_the_endpoint_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_ENDPOINT_URL_KINESIS is honoured as boto3 does."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:2")
    client = kinesis_client(ProducerConfig(region_name="eu-west-1"))
    assert client.meta.endpoint_url == "http://127.0.0.1:2"
    client.close()


def test_a_missing_region_is_told_with_its_remedy(bare: pytest.MonkeyPatch) -> None:
    """The error is one of ours and names what to set; AWS_REGION is honoured, as other SDKs do."""
    bare.setenv("AWS_ACCESS_KEY_ID", "testing")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with pytest.raises(AwsSettingsError, match="no AWS region was found: set region_name of ProducerConfig"):
        Producer("orders")
    bare.setenv("AWS_REGION", "eu-west-1")
    client = kinesis_client(ProducerConfig())
    assert client.meta.region_name == "eu-west-1"
    client.close()


def test_missing_credentials_are_told_before_a_record_is_taken(bare: pytest.MonkeyPatch) -> None:
    """A record that was accepted could only be given up."""
    with pytest.raises(AwsSettingsError, match="no AWS credentials were found: set AWS_ACCESS_KEY_ID"):
        Producer("orders", config=ProducerConfig(region_name="eu-west-1"))


def test_a_profile_that_does_not_exist_is_told(bare: pytest.MonkeyPatch) -> None:
    """As our own error, with the variable that names it."""
    bare.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsSettingsError, match=r"nobody.*set AWS_PROFILE"):
        Producer("orders")
