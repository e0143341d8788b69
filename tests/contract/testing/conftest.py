"""The subject: a client of the fake, in the process or over boto3 and HTTP, whose responses are checked."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from fakes.kinesis_model import CheckedClient
from fakes.kinesis_server import KinesisServer, kinesis_server
from orderstream.testing import FakeKinesis

_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[KinesisServer]:
    with kinesis_server() as running:
        yield running


@pytest.fixture(params=["in the process", "served"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A Kinesis client each of whose responses is held against the service model."""
    if request.param == "in the process":
        yield CheckedClient(FakeKinesis().client())
        return
    real = request.getfixturevalue("server").client()
    yield CheckedClient(real)
    real.close()


@pytest.fixture
def stream(client: Any) -> Iterator[Callable[..., str]]:
    """Makes streams under fresh names and deletes them at the end."""
    made: list[str] = []

    def make(shards: int = 1) -> str:
        name = f"orders-{next(_numbers)}"
        client.create_stream(StreamName=name, ShardCount=shards)
        made.append(name)
        return name

    yield make
    for name in made:
        client.delete_stream(StreamName=name)
