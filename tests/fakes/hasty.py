"""A process's resources whose clock runs sixty times as fast, so that a stall of ninety seconds takes 1.5."""

import contextlib
import datetime as dt
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from orderstream import Producer, ProducerConfig
from orderstream.testing import FakeKinesis
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings

HASTE = 60
_EPOCH = dt.datetime.now(dt.UTC)
_BEGUN = time.monotonic()


def hasty_clock() -> dt.datetime:
    return _EPOCH + dt.timedelta(seconds=HASTE * (time.monotonic() - _BEGUN))


class HastyResources(Resources):
    """Everything as in production, but for the clock and a fake Kinesis."""

    def __init__(self, settings: Settings, kinesis: FakeKinesis) -> None:
        super().__init__(settings)
        self._fake = kinesis

    @staticmethod
    def clock() -> dt.datetime:
        return hasty_clock()

    @cached_property
    def kinesis(self) -> Any:
        return self._fake.client()

    @cached_property
    def producer(self) -> Producer:
        producer = Producer(self.settings.stream, client=self._fake.client(), config=ProducerConfig())
        self.close_later(producer.close)
        return producer


_PATIENCE = 100.0
"""Seconds: a process takes long to start where a whole test run shares two cores with it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str = "/health") -> tuple[int, dict[str, Any]]:
    """Status and body of a health answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def wait_for(
    port: int, holds: Callable[[int, dict[str, Any]], bool], path: str = "/health"
) -> dict[str, Any]:
    """Ask until a response is as it should be; the response.

    All that is expected belongs into ``holds``: a thread that waits 1.5 seconds for its turn on a busy
    machine has stood still for ninety on this clock, and a later response takes that back.
    """
    deadline, pause, last = time.monotonic() + _PATIENCE, threading.Event(), None
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            last = ask(port, path)
            if holds(*last):
                return last[1]
        pause.wait(0.05)
    raise AssertionError(f"it never came; the last response was {last}")


@contextlib.contextmanager
def running(run: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run a process's main function in a thread while the body runs."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
