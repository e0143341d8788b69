"""Answers that no Kinesis gives, over a real connection and through boto3: they cost time and no records."""

import json
from collections.abc import Iterator

import boto3
import pytest

from fakes.kpl import TinyClient
from fakes.kpl_http import TinyServer, served
from orderstream import Producer, ProducerConfig

WAIT = 30.0
SIGNATURE = "Signature expired: 20261129T100000Z is now earlier than 20261129T101500Z"


@pytest.fixture
def server() -> Iterator[TinyServer]:
    with served(TinyClient()) as server:
        yield server


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """One for all tests: each loads the models of Kinesis and its endpoints once."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def config(server: TinyServer) -> ProducerConfig:
    return ProducerConfig(region_name="eu-west-1", endpoint_url=server.url, retry_base_delay=0.01)


def http(
    status: int, body: bytes, kind: str = "application/x-amz-json-1.1", *, length: int | None = None
) -> bytes:
    lines = (
        f"HTTP/1.1 {status} Whatever",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refusal(code: str, message: str, status: int = 400) -> bytes:
    return http(status, json.dumps({"__type": code, "message": message}).encode())


PAGE = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"
BODIES = {
    "nothing": b"",
    "an empty object": b"{}",
    "null": b"null",
    "an empty list": b"[]",
    "a list": b'[{"ShardId": "s"}]',
    "a text": b'"ok"',
    "a number": b"7",
    "a page": PAGE,
    "half a document": b'{"Records": [{"Shard',
    "members that are null": b'{"Records": null, "Shards": null, "NextToken": null}',
    "members of the wrong type": b'{"Records": "yes", "Shards": {"ShardId": 1}}',
    "entries that say nothing": b'{"Records": [{}], "Shards": [{}]}',
    "entries that are none": b'{"Records": [null], "Shards": ["s"]}',
    "entries of the wrong type": b'{"Records": [{"ShardId": 1, "SequenceNumber": 2}], "Shards": [[1]]}',
    "no UTF-8": b"\xff\xfe{}",
}
RESPONSES = {
    **{f"200 with {name}": http(200, body) for name, body in BODIES.items()},
    **{f"{status} with a page": http(status, PAGE, "text/html") for status in (301, 307, 403, 404, 405, 413)},
    **{f"{status} with a page": http(status, PAGE, "text/html") for status in (500, 502, 503, 504)},
    **{f"{status} with nothing": http(status, b"") for status in (400, 403, 429, 500, 503)},
    "400 with a list": http(400, b"[]"),
    "400 with a text": http(400, b'"no"'),
    "400 with a code of the wrong type": http(400, b'{"__type": 7, "message": {"a": 1}}'),
    "a cut body": http(200, b'{"Records": [', length=1000),
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "an end at once": b"",
    "an expired signature": refusal("InvalidSignatureException", SIGNATURE),
    "a signature of the future": refusal("InvalidSignatureException", "Signature not yet current: later"),
    "a request that has expired": refusal("RequestExpired", "Request has expired"),
    "an expired token": refusal(
        "ExpiredTokenException", "The security token included in the request is expired"
    ),
    "a token nobody knows yet": refusal("UnrecognizedClientException", "The security token is invalid", 403),
    "a gateway's refusal": http(403, b'{"message": "Forbidden"}', "application/json"),
    "a throttle": refusal("ThrottlingException", "Rate exceeded"),
    "a throttle in another spelling": refusal("LimitExceededException", "Rate exceeded"),
    "a refusal by something that is down": refusal("AccessDeniedException", "no", 503),
}


@pytest.mark.parametrize("operation", ["PutRecords", "ListShards"])
@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES.keys())
def test_a_response_that_kinesis_would_not_stand_by_is_asked_for_again(
    server: TinyServer, config: ProducerConfig, session: boto3.Session, operation: str, response: bytes
) -> None:
    """Whatever comes in a response's place, the record is delivered by a later call, and so is the next."""
    server.instead[operation] = [response]
    with Producer("orders", config=config, session=session) as producer:
        first = producer.put(b"1", "key")
        second = producer.put(b"2", "key")
        first.result(WAIT)
        second.result(WAIT)
    assert list(dict.fromkeys(server.client.payloads)) == [b"1", b"2"]
    assert server.instead[operation] == []
