"""The orders API in memory."""

from collections.abc import Iterator

import pytest

from fakes.asgi import AsgiClient
from fakes.orders_api import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[AsgiClient]:
    with AsgiClient(world.app) as client:
        yield client
