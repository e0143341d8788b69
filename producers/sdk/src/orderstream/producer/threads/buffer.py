r"""The buffer between callers and the owner thread: records up to a bound in bytes, and all other inputs.

::

    put ----> [ records ] --+                 +--> completed: bytes are given back,
    others -> [ inputs  ] --+--> take (owner) |    blocked puts and flushes look again

One lock guards it all, taken once for each record that is put alone: what costs a caller most is this lock.

A caller that puts without a pause would keep the interpreter to itself for 5 ms at a time (see
``sys.setswitchinterval``), thousands of records, while requests that could carry them wait. So whenever some
hundreds lie here it steps aside, and the owner takes them while they are still in the processor's cache.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from time import monotonic, sleep
from typing import Literal

from orderstream.producer.core.messages import Complete, Flush, Input
from orderstream.producer.errors import BufferFullError, ForkedProducerError, ProducerClosedError
from orderstream.producer.tracking.process import Process
from orderstream.producer.tracking.tracked import TrackedRecord

# So many records at a time are put before the caller steps aside.
_STRIDE = 512


class _Flush:
    """A caller that waits until all records put before are completed."""

    __slots__ = ("arrival", "outstanding")

    def __init__(self, arrival: int, outstanding: int) -> None:
        self.arrival = arrival
        self.outstanding = outstanding


class Buffer:
    """Bounds, hands over and counts records; for many callers and one owner.

    The core numbers what it takes at once, and here that is counted too: so a flush knows which of the
    completed records it waits for. It also waits for those that were put after it and taken together with the
    last before it.

    Args:
        limit: Bytes that may be outstanding at once.
        when_full: Whether ``put`` blocks or raises.
        process: The process whose threads it serves.
    """

    def __init__(self, limit: int, when_full: Literal["block", "raise"], process: Process) -> None:
        self._limit = limit
        self._process = process
        self._here = process.here
        self._when_full = when_full
        self._bytes = 0
        self._taken = 0
        self._arrivals = 0
        self._completed = 0
        self._records: list[TrackedRecord] = []
        self._rest_at = _STRIDE
        self._inputs: list[Input] = []
        self._closed = False
        self._flushes: list[_Flush] = []
        self._blocked: deque[object] = deque()
        self._callbacks: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        # Locked while the owner has not been called; asleep while a call would wake it.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._asleep = False

    def put(self, record: TrackedRecord, *, may_block: bool = True) -> None:
        """Hand a record over.

        Args:
            record: The record.
            may_block: Whether to wait for room, where the buffer's setting allows it.

        Raises:
            BufferFullError: There is no room and the caller may not wait.
            ProducerClosedError: No more records are taken.
            ForkedProducerError: They are not taken in this process.
        """
        if not self._here[0]:
            raise ForkedProducerError
        with self._lock:
            if self._closed:
                raise ProducerClosedError
            size = self._bytes + record.size
            if size > self._limit or self._blocked:
                if not (may_block and self._may_wait()):
                    raise BufferFullError(record.size, self._limit)
                self._wait_for_room(record, record.size)
                size = self._bytes + record.size
            self._bytes = size
            self._records.append(record)
            if self._asleep:
                self._wake()
            if len(self._records) < self._rest_at:
                return
            self._rest_at += _STRIDE
        sleep(0)

    def put_all(self, records: Sequence[TrackedRecord], size: int) -> None:
        """Hand records over at one moment, or one by one where they would not fit into an empty buffer.

        Args:
            records: The records.
            size: What they take together, in bytes.

        Raises:
            OrderstreamError: As ``put`` does. Where ``put`` would raise BufferFullError, the records before
                the offending one were handed over.
        """
        if not records:
            return
        if not self._here[0]:
            raise ForkedProducerError
        with self._lock:
            if self._closed:
                raise ProducerClosedError
            fits = self._bytes + size <= self._limit and not self._blocked
            if not fits and size <= self._limit and self._may_wait():
                self._wait_for_room(records, size)
                fits = True
            if fits:
                self._bytes += size
                self._records += records
                if self._asleep:
                    self._wake()
                if len(self._records) < self._rest_at:
                    return
                self._rest_at = len(self._records) + _STRIDE
        if fits:
            sleep(0)
            return
        for record in records:
            self.put(record)

    def post(self, event: Input) -> None:
        """Hand the owner an input; it comes behind all records put before."""
        with self._lock:
            self._tell(event)

    def take(self, timeout: float | None) -> tuple[list[TrackedRecord], list[Input]]:
        """Wait until there is something, and take all there is; for the owner alone.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            Records in put order, and inputs that come after them.
        """
        with self._lock:
            if self._records or self._inputs:
                return self._take_all()
            self._asleep = True
        woken = self._bell.acquire(timeout=-1 if timeout is None else timeout)
        with self._lock:
            if not woken and not self._asleep:
                # The bell was rung in between.
                self._bell.acquire()
            self._asleep = False
            return self._take_all()

    def make_known(self, completions: Iterable[Complete]) -> list[TrackedRecord]:
        """Make outcomes visible, and take what was put before they were; for the owner alone.

        All of it happens at one moment: who puts a record later could know of them.
        """
        with self._lock:
            for complete in completions:
                complete.completion.outcome = complete.outcome
            return self._take_records()

    def when_completed(self, callback: Callable[[], object]) -> None:
        """Call back once, from the owner, when records are completed next."""
        with self._lock:
            self._callbacks.append(callback)

    def completed(self, records: Sequence[TrackedRecord], size: int) -> None:
        """Give back the room of records that have their outcome: ``size`` bytes."""
        with self._lock:
            self._bytes -= size
            self._completed += len(records)
            for flush in self._flushes:
                flush.outstanding -= self._come_by(flush.arrival, records)
            if self._flushes or self._blocked:
                self._changed.notify_all()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def flush(self, timeout: float | None) -> int:
        """Have everything put so far sent without lingering, and wait until it is completed.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            How many of these records are still outstanding.

        Raises:
            ForkedProducerError: They were put by another process.
        """
        deadline = None if timeout is None else monotonic() + timeout
        if not self._here[0]:
            raise ForkedProducerError
        with self._lock:
            # Atomically: what the owner takes together with the last record is flushed with it.
            self._tell(Flush())
            put = self._taken + len(self._records)
            flush = _Flush(self._arrivals + bool(self._records), put - self._completed)
            self._flushes.append(flush)
            try:
                while flush.outstanding:
                    remaining = None if deadline is None else deadline - monotonic()
                    if remaining is not None and remaining <= 0:
                        break
                    self._changed.wait(remaining)
            finally:
                self._flushes.remove(flush)
            return flush.outstanding

    def close(self) -> None:
        """Take no more records; callers that wait for room are woken."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def described(self) -> str:
        """Say what has no outcome yet."""
        with self._lock:
            records = self._taken + len(self._records) - self._completed
            full = "; the buffer is full and put waits" if self._blocked else ""
            return f"records that wait: {records} ({self._bytes} of {self._limit} bytes){full}"

    def _may_wait(self) -> bool:
        return self._when_full == "block" and not self._process.in_completing_thread()

    def _wait_for_room(self, waiting: object, size: int) -> None:
        """Wait for room, behind all who waited before; the lock is held at entry and exit."""
        self._blocked.append(waiting)
        try:
            while self._blocked[0] is not waiting or self._bytes + size > self._limit:
                self._changed.wait()
                if self._closed:
                    raise ProducerClosedError
        finally:
            self._blocked.remove(waiting)
            self._changed.notify_all()

    def _come_by(self, arrival: int, records: Sequence[TrackedRecord]) -> int:
        """How many of these records came with that arrival or before."""
        if arrival >= self._arrivals:
            return len(records)
        return sum(record.arrival.number <= arrival for record in records)

    def _tell(self, event: Input) -> None:
        self._inputs.append(event)
        if self._asleep:
            self._wake()

    def _wake(self) -> None:
        self._asleep = False
        self._bell.release()

    def _take_all(self) -> tuple[list[TrackedRecord], list[Input]]:
        records = self._take_records()
        inputs, self._inputs = self._inputs, []
        return records, inputs

    def _take_records(self) -> list[TrackedRecord]:
        records, self._records = self._records, []
        self._rest_at = _STRIDE
        if records:
            self._arrivals += 1
            self._taken += len(records)
            for flush in self._flushes:
                if flush.arrival == self._arrivals:
                    flush.outstanding = self._taken - self._completed
        return records
