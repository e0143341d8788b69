"""Requests to the served fake Kinesis whose members are of any type: answered as AWS does, never 500."""

import asyncio
import json
from typing import Any

import pytest
from botocore.model import Shape
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.kinesis_model import operation_model
from orderstream.testing import FakeKinesis
from orderstream.testing.asgi import KinesisApp
from orderstream.testing.core import KinesisCore
from orderstream.testing.state.limits import Limits


def operations() -> list[str]:
    core = KinesisCore(
        limits=Limits(), clock=lambda: 0.0, account="1", region="r", transition_seconds=0.0, seed=0
    )
    return list(core.operations)


def served() -> KinesisApp:
    kinesis = FakeKinesis()
    kinesis.call("CreateStream", {"StreamName": "orders", "ShardCount": 2})
    kinesis.call("PutRecord", {"StreamName": "orders", "Data": b"x", "PartitionKey": "a"})
    return KinesisApp(kinesis)


def ask(app: KinesisApp, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"x-amz-target", b"Kinesis_20131202." + operation.encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "http_version": "1.1"}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.lists(st.none() | st.integers() | st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none() | st.integers(), max_size=2),
)
SENSIBLE = st.sampled_from(["orders", "shardId-000000000000", "a", "0", "LATEST", "eA==", "UNIFORM_SCALING"])


def fitting(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape; at each path there may be anything else."""
    match shape.type_name:
        case "structure":
            members = {name: fitting(member) for name, member in shape.members.items()}
            value = st.fixed_dictionaries({}, optional=members)
        case "list":
            value = st.lists(fitting(shape.member), max_size=3)
        case "map":
            value = st.dictionaries(st.text(max_size=3), fitting(shape.value), max_size=2)
        case "integer" | "long":
            value = st.integers(-1, 30) | st.integers()
        case "boolean":
            value = st.booleans()
        case "timestamp":
            value = st.integers(0, 2**33) | st.floats(allow_nan=False, allow_infinity=False)
        case _:
            value = SENSIBLE | st.text(max_size=5)
    return st.one_of(value, value, value, ANYTHING)


@pytest.mark.parametrize("operation", operations())
def test_any_request_is_answered_as_aws_does(operation: str) -> None:
    """Whatever the members are, the response is 200, or 400 with the name of one of Kinesis' errors."""
    shape = operation_model(operation).input_shape
    assert shape is not None
    app = served()

    @settings(max_examples=120, deadline=None)
    @given(fitting(shape) | st.binary(max_size=20))
    def asked(request: Any) -> None:
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        status, response = ask(app, operation, body)
        assert status == 200 or (status == 400 and response["__type"].endswith("Exception"))

    asked()


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        (
            "DescribeStream",
            {"StreamName": 1},
            "SerializationException",
            "NUMBER_VALUE cannot be converted to String",
        ),
        (
            "ListStreams",
            {"Limit": "1"},
            "SerializationException",
            "STRING_VALUE cannot be converted to Integer",
        ),
        (
            "ListStreams",
            {"Limit": True},
            "SerializationException",
            "TRUE_VALUE cannot be converted to Integer",
        ),
        ("PutRecords", {"StreamName": "orders", "Records": {}}, "SerializationException", "START_OBJECT"),
        (
            "PutRecord",
            {"StreamName": [], "Data": "", "PartitionKey": "a"},
            "SerializationException",
            "START_ARRAY",
        ),
        (
            "PutRecords",
            {"StreamName": "orders", "Records": [None]},
            "ValidationException",
            "records.1.member",
        ),
    ],
)
def test_a_wrong_type_is_named(operation: str, request_: Any, code: str, message: str) -> None:
    """A member of another JSON type is no defect of the fake: the response says what cannot be converted."""
    status, response = ask(served(), operation, json.dumps(request_).encode())
    assert (status, response["__type"]) == (400, code)
    assert message in response["message"]


def test_nesting_without_end_is_refused() -> None:
    """A body that no reader could hold is refused like any other that cannot be read."""
    assert ask(served(), "PutRecord", b'{"x":' + b"[" * 100_000)[1]["__type"] == "SerializationException"


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ListStreams", {"Limit": -1}),
        ("DescribeStream", {"StreamName": "orders", "Limit": -2}),
        ("ListShards", {"StreamName": "orders", "MaxResults": -3}),
        ("GetRecords", {"ShardIterator": "x", "Limit": 10_001}),
    ],
)
def test_number_out_of_range_is_refused(operation: str, request_: dict[str, Any]) -> None:
    """A number outside its range in the service model is a ValidationException that names it."""
    status, response = ask(served(), operation, json.dumps(request_).encode())
    assert status == 400
    assert response["__type"].endswith("ValidationException")
    assert "greater than" in response["message"] or "less than" in response["message"]
