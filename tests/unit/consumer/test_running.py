"""An application's run: each step waits for the one before, and none is skipped."""

import datetime as dt
import threading

import pytest

from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.ownership import EngineOwnership
from orderstream_consumer.engines.stream_identity import ConsumedStream, StreamIdentity
from orderstream_consumer.engines.stream_leases import StreamLeases
from orderstream_consumer.health import DependencyWatch
from orderstream_consumer.processing.progress import GivenUp, ShardProgress
from orderstream_consumer.running import ApplicationRun
from orderstream_consumer.testing import MemoryLeaseTable, MemoryStore

STREAM = StreamIdentity("arn:aws:kinesis:us-east-1:123456789012:stream/orders", "2026-02-01T00:00:00+00:00")
FORMER = Lease(lease_key="shardId-000000000000", checkpoint="SHARD_END", stream="arn:former 2026-01-01")
NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


class Worker:
    """Notes what leases stand when it begins, and ends at once."""

    worker_id = "w-1"
    failure = None
    hole = None
    started = True

    def __init__(self, table: MemoryLeaseTable, stop: threading.Event, *, tells_streams_apart: bool) -> None:
        self.tells_streams_apart = tells_streams_apart
        self.given_up: dict[str, GivenUp] = {}
        self.found: list[list[Lease]] = []
        self._table = table
        self._stop = stop

    def run(self) -> None:
        self.found.append(self._table.list_leases())
        self._stop.set()

    def request_shutdown(self) -> None:
        """It has ended."""

    def progress(self) -> tuple[ShardProgress, ...]:
        return ()

    def counters(self) -> dict[str, int]:
        return {}


def played(table: MemoryLeaseTable, stop: threading.Event, *, tells_streams_apart: bool) -> Worker:
    """An application's worker, run until it ends."""
    store = MemoryStore()
    worker = Worker(table, stop, tells_streams_apart=tells_streams_apart)
    consumed = ConsumedStream(store, "inventory", lambda: STREAM, expiry=6)
    ApplicationRun(
        "inventory",
        "orders",
        worker=worker,
        ownership=EngineOwnership(store, "inventory", "kcl", worker_id="w-1", expiry=6),
        consumed=consumed,
        leases=StreamLeases(table, consumed),
        watch=DependencyWatch((), {}, lambda: NOW),
        stop=stop,
        clock=lambda: NOW,
    ).run(port=0, host="127.0.0.1")
    return worker


@pytest.mark.parametrize("tells_streams_apart", [True, False])
def test_an_engine_that_tells_no_streams_apart_meets_none_of_a_former_one(tells_streams_apart: bool) -> None:
    """An application that goes back to KCL does not take a former stream's end of a shard for its own."""
    table = MemoryLeaseTable()
    table.create_if_absent(FORMER)
    worker = played(table, threading.Event(), tells_streams_apart=tells_streams_apart)
    assert worker.found == ([[FORMER]] if tells_streams_apart else [[]])


def test_a_worker_that_is_stopped_while_leases_cannot_be_had_does_not_begin() -> None:
    """It waits for the table of leases, and hears the signal meanwhile."""
    stop = threading.Event()

    class Away(MemoryLeaseTable):
        def list_leases(self) -> list[Lease]:
            stop.set()
            raise DependencyError("dynamodb", "Scan", "no response")

    assert played(Away(), stop, tells_streams_apart=False).found == []
