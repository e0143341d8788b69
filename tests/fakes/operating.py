"""Resources in memory, for commands that work on what is stored."""

import datetime as dt
from typing import TYPE_CHECKING

from fakes.payment_queue import MemoryPaymentQueue
from orderstream_consumer.idempotency import HostClock
from orderstream_consumer.testing import MemoryLeaseTable, MemoryStore
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


class RecordingPublisher:
    """Remembers what it was given, and acknowledges it."""

    def __init__(self) -> None:
        self.published: list[bytes] = []

    def publish(self, outputs: list[bytes], order_id: str) -> None:
        self.published += outputs


class MemoryResources(Resources):
    """Everything in memory, at noon."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings or Settings())
        self.store = MemoryStore()
        self.deciding_clock = HostClock(self.clock)
        self.publisher = RecordingPublisher()
        self.payment_queue = MemoryPaymentQueue()
        self.payment_dead_letters = MemoryPaymentQueue()
        self.lease_tables: dict[str, MemoryLeaseTable] = {}
        self.waited: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    @staticmethod
    def clock() -> dt.datetime:
        return NOW

    def wait(self, seconds: float) -> None:
        """Time passes for others, who do something ``meanwhile``."""
        self.waited.append(seconds)
        self.meanwhile()

    def leases(self, application: str) -> MemoryLeaseTable:
        return self.lease_tables.setdefault(application, MemoryLeaseTable())

    def queue_depth(self, name: str) -> "Callable[[], int]":
        queues = {
            self.settings.payment_queue: self.payment_queue,
            f"{self.settings.payment_queue}-dlq": self.payment_dead_letters,
        }
        return queues.setdefault(name, MemoryPaymentQueue()).depth
