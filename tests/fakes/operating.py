"""Resources in memory, for commands that work on what is stored."""

import datetime as dt

from orderstream_workers.effects import HostClock
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.watch import Dependency
from orderstream_workers.services.payments import MemoryPaymentQueue
from orderstream_workers.store import MemoryStore

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


class RecordingEmitter:
    """Remembers what it was given, and acknowledges it."""

    def __init__(self) -> None:
        self.emitted: list[bytes] = []

    def emit(self, outputs: list[bytes], order_id: str) -> None:
        self.emitted += outputs


class MemoryResources(Resources):
    """Everything in memory, at noon."""

    def __init__(self) -> None:
        super().__init__(Settings())
        self.store = MemoryStore()
        self.deciding_clock = HostClock(self.clock)
        self.emitter = RecordingEmitter()
        self.payment_queue = MemoryPaymentQueue()
        self.payment_dead_letters = MemoryPaymentQueue()

    @staticmethod
    def clock() -> dt.datetime:
        return NOW

    def stream(self, name: str) -> Dependency:
        return Dependency(f"stream {name}", lambda: None)
