"""Ready-made bodies: what botocore would have written, and its hooks kept."""

import base64
import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from orderstream import ProducerConfig
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.messages import RequestCompleted, SendPutRecords
from orderstream.producer.outcome import Acknowledged, Completion
from orderstream.producer.requests.request_body import encode_body, takes_ready_bodies
from orderstream.producer.requests.sender import Sender
from orderstream.producer.requests.target import Target, kinesis_client

STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"


def entry(data: bytes, key: str, hash_key: str | None = None) -> KinesisRecord:
    return KinesisRecord([], data, key, hash_key, aggregated=False, user_bytes=0, completion=Completion())


ENTRIES = (entry(b"\x00\xffdata", "a", "340282366920938463463374607431768211455"), entry(b"", 'ü"\\\n\u2028'))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = kinesis_client(ProducerConfig(region_name="eu-west-1", endpoint_url="http://127.0.0.1:1"))
    yield client
    client.close()


class Answer:
    """Stands before the network: keeps each request and answers it."""

    def __init__(self) -> None:
        self.requests: list[AWSPreparedRequest] = []

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.requests.append(request)
        results = [{"ShardId": "shard", "SequenceNumber": "1"}] * 2
        return Response(request.url, 200, {}, None, json.dumps({"Records": results}).encode())


class Response(AWSResponse):
    def __init__(self, url: str, status: int, headers: dict[str, str], raw: Any, body: bytes) -> None:
        super().__init__(url, status, headers, raw)
        self._content = body


def test_the_body_says_what_botocores_would(client: Any) -> None:
    """Through the ready-made body the same request goes out as through boto3's serializer, signed."""
    response = Answer()
    client.meta.events.register("before-send.kinesis.PutRecords", response)
    assert Sender(client, Target(STREAM, client)).put_records(SendPutRecords(7, ENTRIES)) == RequestCompleted(
        7, (Acknowledged("shard", "1"),) * 2
    )
    client.put_records(
        StreamARN=STREAM,
        Records=[
            {"Data": b"\x00\xffdata", "PartitionKey": "a", "ExplicitHashKey": str(2**128 - 1)},
            {"Data": b"", "PartitionKey": 'ü"\\\n\u2028'},
        ],
    )
    ours, theirs = response.requests
    assert json.loads(ours.body) == json.loads(theirs.body)
    assert ours.url == theirs.url
    assert ours.headers["Content-Length"] == str(len(ours.body))
    assert set(ours.headers) == set(theirs.headers)
    assert b"Signature=" in ours.headers["Authorization"]


def test_hooks_of_others_see_the_body_that_is_sent(client: Any) -> None:
    """An application's before-call handler runs after ours, though it was registered before."""
    seen: list[bytes] = []
    client.meta.events.register(
        "before-call.kinesis.PutRecords", lambda params, **_: seen.append(params["body"])
    )
    client.meta.events.register("before-send.kinesis.PutRecords", Answer())
    for _ in range(2):
        Sender(client, Target("orders", client)).put_records(SendPutRecords(1, ENTRIES))
    assert seen == [encode_body(ENTRIES, {"StreamName": "orders"})] * 2
    assert base64.b64decode(json.loads(seen[0])["Records"][0]["Data"]) == b"\x00\xffdata"


def test_other_clients_are_spoken_to_in_their_own_way(client: Any) -> None:
    """A stand-in without botocore's inside, and a protocol other than JSON, get plain arguments."""
    assert not takes_ready_bodies(object())
    assert takes_ready_bodies(client)
    sqs = boto3.Session().client("sqs", region_name="eu-west-1")
    assert not takes_ready_bodies(sqs)
    sqs.close()
