"""How much is unsettled: the bound that ``put`` runs into, and what ``flush`` waits for."""

import threading
from collections import Counter
from collections.abc import Iterable
from time import monotonic
from typing import Literal

from orderstream.kpl.errors import BufferFullError, ProducerClosedError


class Buffer:
    """Counts unsettled records and bytes; all methods may be called from any thread.

    Each flush ends an epoch. Records carry the epoch they were put in, so a flush waits for what was put
    before it and not for what other threads put meanwhile.

    Args:
        limit: Bytes that may be unsettled at once.
        when_full: Whether ``acquire`` blocks or raises.
    """

    def __init__(self, limit: int, when_full: Literal["block", "raise"]) -> None:
        self._limit = limit
        self._when_full = when_full
        self._bytes = 0
        self._epoch = 0
        self._unsettled: Counter[int] = Counter()
        self._closed = False
        self._waiting = 0
        self._changed = threading.Condition()

    @property
    def empty(self) -> bool:
        """Whether everything is settled."""
        with self._changed:
            return not self._unsettled

    def acquire(self, size: int, *, may_block: bool = True) -> int:
        """Make room for a record.

        Args:
            size: What it takes, in bytes.
            may_block: False for a thread that must not wait, because only it could make room.

        Returns:
            The epoch the record belongs to.

        Raises:
            BufferFullError: There is no room and the caller may not wait.
            ProducerClosedError: The buffer was closed.
        """
        with self._changed:
            while not self._closed and self._bytes + size > self._limit:
                if self._when_full == "raise" or not may_block:
                    raise BufferFullError(size, self._limit)
                self._wait(None)
            if self._closed:
                raise ProducerClosedError
            self._bytes += size
            self._unsettled[self._epoch] += 1
            return self._epoch

    def release(self, settled: Iterable[tuple[int, int]]) -> None:
        """Give back the room of settled records, each as its epoch and size."""
        with self._changed:
            for epoch, size in settled:
                self._bytes -= size
                self._unsettled[epoch] -= 1
                if not self._unsettled[epoch]:
                    del self._unsettled[epoch]
            if self._waiting:
                self._changed.notify_all()

    def end_epoch(self) -> int:
        """Begin a new epoch and return the one that ended."""
        with self._changed:
            self._epoch += 1
            return self._epoch - 1

    def wait_settled(self, epoch: int, timeout: float | None) -> int:
        """Wait until everything put up to an epoch is settled.

        Args:
            epoch: As ``end_epoch`` returned it.
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            How many records are still unsettled.
        """
        deadline = None if timeout is None else monotonic() + timeout
        with self._changed:
            while unsettled := sum(number for of, number in self._unsettled.items() if of <= epoch):
                remaining = None if deadline is None else deadline - monotonic()
                if remaining is not None and remaining <= 0:
                    return unsettled
                self._wait(remaining)
            return 0

    def close(self) -> None:
        """Take no more records; whoever waits for room learns of it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, timeout: float | None) -> None:
        self._waiting += 1
        try:
            self._changed.wait(timeout)
        finally:
            self._waiting -= 1
