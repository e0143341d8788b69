"""A payment queue in memory, as strict as SQS."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from orderstream_workers.services.payments import QueuedPayment
from orderstream_workers.services.payments.queue import check_receive
from orderstream_workers.services.payments.queue_limits import (
    MAX_DELAY,
    MAX_VISIBILITY,
    check_body,
    check_range,
)


@dataclass(slots=True)
class _Entry:
    order_id: str
    visible_at: float
    traceparent: str | None = None
    receives: int = 0
    receipt: str = ""


@dataclass
class MemoryPaymentQueue:
    """A queue in memory. It never waits: time is the injected clock's.

    Attributes:
        now: Seconds on a monotonic clock.
    """

    now: Callable[[], float] = time.monotonic
    _entries: dict[int, _Entry] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, order_id: str, delay: int = 0, traceparent: str | None = None) -> None:
        """See ``PaymentQueue.send``."""
        check_body(order_id)
        check_range("delay", delay, 0, MAX_DELAY)
        with self._lock:
            self._entries[next(self._numbers)] = _Entry(order_id, self.now() + delay, traceparent)

    def receive(self, limit: int, *, wait: int, visibility: int) -> Sequence[QueuedPayment]:
        """See ``PaymentQueue.receive``; returns at once whatever ``wait`` says."""
        check_receive(limit, wait, visibility)
        received: list[QueuedPayment] = []
        with self._lock:
            now = self.now()
            for number, entry in self._entries.items():
                if entry.visible_at > now:
                    continue
                if len(received) == limit:
                    break
                entry.visible_at, entry.receives = now + visibility, entry.receives + 1
                entry.receipt = f"{number}/{entry.receives}"
                received.append(
                    QueuedPayment(
                        entry.order_id, entry.receipt, entry.receives, traceparent=entry.traceparent
                    )
                )
        return received

    def extend(self, message: QueuedPayment, visibility: int) -> None:
        """See ``PaymentQueue.extend``."""
        check_range("visibility", visibility, 0, MAX_VISIBILITY)
        with self._lock:
            entry = self._entries.get(_number(message))
            if entry is not None and entry.receipt == message.receipt:
                entry.visible_at = self.now() + visibility

    def delete(self, message: QueuedPayment) -> None:
        """See ``PaymentQueue.delete``."""
        with self._lock:
            self._entries.pop(_number(message), None)

    def depth(self) -> int:
        """See ``PaymentQueue.depth``."""
        with self._lock:
            return len(self._entries)


def _number(message: QueuedPayment) -> int:
    return int(message.receipt.partition("/")[0])
