"""The producer's side of a delivery: the record itself, with the listeners that wait for its outcome."""

import asyncio
import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager

from orderstream.producer.core.pending import PendingRecord
from orderstream.producer.delivery import Delivery
from orderstream.producer.errors import (
    DeliveryFailedError,
    DeliveryPendingError,
    ForkedProducerError,
    WaitInCallbackError,
)
from orderstream.producer.outcome import REMEMBERED_ATTEMPTS, Completion, Delivered, Landed, Rejected
from orderstream.producer.tracking.awaiting import LoopWaker, waker_of
from orderstream.producer.tracking.origin import NOWHERE, Origin
from orderstream.producer.tracking.process import Process, current

logger = logging.getLogger(__name__)

Listener = Callable[[Delivery], object]


class TrackedRecord(PendingRecord, Delivery, gc=False, eq=False):
    """A record between ``put`` and its outcome, and the application's handle on it.

    Most deliveries are never waited for: their outcome is written once for all that travelled together, and
    no caller looks at each of them. Completing writes the outcome and then looks for listeners; listening
    registers and then looks for the outcome: one of the two sees the other.
    """

    origin: Origin = NOWHERE

    def __repr__(self) -> str:
        """Say which record, and what has become of it; the payload may be personal."""
        match self.completion.outcome:
            case None:
                state = "on its way"
            case Landed(shard_id=shard_id):
                state = f"delivered to {shard_id}"
            case Rejected(reason=reason):
                state = f"given up: {reason}"
        return f"<Delivery of {len(self.data)} bytes under {self.partition_key!r}, {state}>"

    def done(self) -> bool:
        """See ``Delivery``."""
        return self.completion.outcome is not None

    def result(self, timeout: float | None = None) -> Delivered:
        """See ``Delivery``."""
        outcome = self.completion.outcome or self._wait(timeout)
        if isinstance(outcome, Rejected):
            raise DeliveryFailedError(outcome.reason, self.attempts)
        attempts = (*self.attempts[1 - REMEMBERED_ATTEMPTS :], outcome.attempt)
        return Delivered(outcome.shard_id, outcome.sequence_number, self.index, attempts)

    def exception(self, timeout: float | None = None) -> DeliveryFailedError | None:
        """See ``Delivery``."""
        outcome = self.completion.outcome or self._wait(timeout)
        return DeliveryFailedError(outcome.reason, self.attempts) if isinstance(outcome, Rejected) else None

    def __await__(self) -> Generator[object, None, Delivered]:
        """See ``Delivery``."""
        if not self.done():
            loop = asyncio.get_running_loop()
            waker = waker_of(loop)
            completed = loop.create_future()
            if self._listen(lambda _: waker.resolve(completed)):
                yield from completed
        return self.result()

    def add_done_callback(self, callback: Callable[[Delivery], object]) -> None:
        """See ``Delivery``."""
        waker = _waker_here()
        listener: Listener = callback if waker is None else _InLoop(waker, callback)
        if self._listen(listener):
            return
        try:
            listener(self)
        except Exception:
            logger.exception("a delivery callback failed")

    def remove_done_callback(self, callback: Callable[[Delivery], object]) -> int:
        """See ``Delivery``."""
        process = self.origin.process
        with process.registration:
            listeners = process.listeners.get(self, [])
            kept = [each for each in listeners if getattr(each, "callback", each) != callback]
            if kept:
                process.listeners[self] = kept
            else:
                process.listeners.pop(self, None)
        return len(listeners) - len(kept)

    def tell_listeners(self) -> None:
        """Notify the listeners of the outcome."""
        process = self.origin.process
        with process.registration:
            listeners = process.listeners.pop(self, ())
        for listener in listeners:
            try:
                listener(self)
            except BaseException:
                # Not even an exit: it would end the thread on which all other outcomes depend.
                logger.exception("a delivery callback failed")

    def _wait(self, timeout: float | None) -> Landed | Rejected:
        if self.origin.process.in_completing_thread():
            raise WaitInCallbackError("result")
        completed = threading.Event()

        def listener(_: Delivery) -> None:
            completed.set()

        if self._listen(listener):
            try:
                completed.wait(timeout)
            finally:
                with self.origin.process.registration:
                    self._forget(listener)
        outcome = self.completion.outcome
        if outcome is None:
            raise DeliveryPendingError(timeout, self._last_error())
        return outcome

    def _last_error(self) -> str | None:
        if self.attempts and self.attempts[-1].error_code:
            last = self.attempts[-1]
            return f"{last.error_code}: {last.error_message}" if last.error_message else last.error_code
        trouble = self.origin.trouble
        return None if trouble is None else str(trouble)

    def _listen(self, listener: Listener) -> bool:
        """Register a listener unless the outcome is there; return whether it will be called."""
        if self.done():
            return False
        process = self.origin.process
        if not process.here[0]:
            raise ForkedProducerError
        with process.registration:
            process.listeners.setdefault(self, []).append(listener)
            # The completion either sees the listener or has written the outcome by now.
            if not self.done():
                return True
            self._forget(listener)
        return False

    def _forget(self, listener: Listener) -> None:
        """Take back the last registration of a listener unless it has been called; under the lock."""
        listeners = self.origin.process.listeners.get(self, [])
        for index in reversed(range(len(listeners))):
            # By identity: the application's callbacks may be equal to each other.
            if listeners[index] is listener:
                del listeners[index]
                if not listeners:
                    del self.origin.process.listeners[self]
                return


# The garbage collector does not follow deliveries, so an assignment has no books to keep for it: the
# interpreter's own takes a third of the time of msgspec's.
for _name in ("__setattr__", "__delattr__"):
    setattr(TrackedRecord, _name, getattr(object, _name))


class _InLoop:
    """A callback that was added in an event loop, and is called there."""

    __slots__ = ("callback", "waker")

    def __init__(self, waker: LoopWaker, callback: Callable[[Delivery], object]) -> None:
        self.waker = waker
        self.callback = callback

    def __call__(self, delivery: Delivery) -> None:
        self.waker.call(self.callback, delivery)


def _waker_here() -> LoopWaker | None:
    try:
        return waker_of(asyncio.get_running_loop())
    except RuntimeError:
        return None


def complete(
    records: Iterable[TrackedRecord],
    completion: Completion,
    outcome: Landed | Rejected,
    process: Process | None = None,
) -> None:
    """Fix the outcome of all records that share a completion; for the producer alone.

    Args:
        records: The records.
        completion: Theirs.
        outcome: Theirs.
        process: The process that they were put in; the present one by default.
    """
    completion.outcome = outcome
    listeners = (process or current()).listeners
    if listeners:
        for record in records:
            if record in listeners:
                record.tell_listeners()


def listening(record: TrackedRecord) -> int:
    """Return how many wait for the outcome of a delivery, or will be called."""
    return len(record.origin.process.listeners.get(record, ()))


@contextmanager
def completing_thread(process: Process | None = None) -> Iterator[None]:
    """Keep the current thread from waiting for deliveries: it is the one that completes them."""
    threads = (process or current()).completing_threads
    ident = threading.get_ident()
    threads.add(ident)
    try:
        yield
    finally:
        threads.discard(ident)
