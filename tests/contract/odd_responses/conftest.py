"""A server that says whatever a test wants, over real sockets."""

import gc
from collections.abc import Iterator

import pytest

from hostile.server import HostileServer


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """One for each test; the sockets of broken responses are collected before the next begins."""
    with HostileServer() as server:
        yield server
    gc.collect()
