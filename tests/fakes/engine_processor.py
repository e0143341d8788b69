"""Processors and lease tables for tests of the engine."""

import threading
from collections.abc import Callable

from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_consumer.testing import MemoryLeaseTable


class Journal:
    """What the processors of one or more workers were called with, in order."""

    def __init__(self) -> None:
        self.records: list[DeliveredRecord] = []
        self.calls: list[tuple[str, str]] = []
        self._changed = threading.Condition()

    def note(self, shard_id: str, call: str, records: tuple[DeliveredRecord, ...] = ()) -> None:
        with self._changed:
            self.calls.append((shard_id, call))
            self.records += records
            self._changed.notify_all()

    def wait_until(self, holds: Callable[[], bool], timeout: float = 20) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, timeout), f"not within {timeout} s: {self.calls[-20:]}"

    def payloads(self) -> list[bytes]:
        return [record.data for record in self.records]


class JournalProcessor:
    """Writes down what it is called with, and checkpoints all of it."""

    def __init__(self, journal: Journal, shard_id: str, stop: StopSignal) -> None:
        self._journal = journal
        self._shard_id = shard_id
        self.stop = stop

    def initialize(self, initialization: InitializationInput) -> None:
        self._journal.note(self._shard_id, "initialize")

    def process_records(self, batch: ProcessRecordsInput) -> None:
        self._journal.note(self._shard_id, "process_records", tuple(batch.records))
        batch.checkpointer.checkpoint()

    def lease_lost(self) -> None:
        self._journal.note(self._shard_id, "lease_lost")

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        checkpointer.checkpoint()
        self._journal.note(self._shard_id, "shard_ended")

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        checkpointer.checkpoint()
        self._journal.note(self._shard_id, "shutdown_requested")


class FaultyLeaseTable(MemoryLeaseTable):
    """A lease table that asks before and after each write whether it should fail then."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_before: Callable[[], bool] = lambda: False
        self.loses_response: Callable[[], bool] = lambda: False
        self.is_down: Callable[[], bool] = lambda: False
        self.unreadable: Callable[[], bool] = lambda: False

    def list_leases(self) -> list[Lease]:
        self._check(self.is_down)
        return super().list_leases()

    def get(self, lease_key: str) -> Lease | None:
        self._check(self.is_down)
        self._check(self.unreadable)
        return super().get(lease_key)

    def replace(self, held: Lease, successor: Lease) -> bool:
        self._check(self.is_down)
        self._check(self.fails_before)
        written = super().replace(held, successor)
        self._check(self.loses_response)
        return written

    @staticmethod
    def _check(fails: Callable[[], bool]) -> None:
        if fails():
            raise DependencyError("lease table", "any call", "told to fail")
