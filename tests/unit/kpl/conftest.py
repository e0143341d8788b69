"""A producer over a client that keeps everything in memory."""

from collections.abc import Iterator

import pytest

from fakes.kpl import TinyClient
from fakes.producers import producer_on
from orderstream import (
    Producer,
)


@pytest.fixture
def client() -> TinyClient:
    return TinyClient(shards=4)


@pytest.fixture
def producer(client: TinyClient) -> Iterator[Producer]:
    with producer_on(client) as producer:
        yield producer
