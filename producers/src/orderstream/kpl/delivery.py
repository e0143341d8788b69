"""The handle that ``put`` returns."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager

from orderstream.kpl.awaiting import waker_of
from orderstream.kpl.errors import DeliveryFailedError, ForkedProducerError, WaitInCallbackError
from orderstream.kpl.outcome import REMEMBERED_ATTEMPTS, Delivered, Landed, Rejected, Settlement
from orderstream.kpl.pending import PendingRecord

logger = logging.getLogger(__name__)

# Taken by those who wait or listen while the outcome is open, and by the settlement that finds them.
_registration = threading.Lock()

# Whom to tell of an outcome that is still open.
_listeners: dict["Delivery", list[Callable[["Delivery"], object]]] = {}

# The threads that settle deliveries: what they wait for would never come.
_settling_threads: set[int] = set()


# How many forks lie between the first process and this one: deliveries of another count are another's.
_generation = 0


def _start_anew() -> None:
    """After a fork: the lock may have been taken by a thread that does not exist here."""
    global _registration, _generation  # noqa: PLW0603 - a lock cannot be reset, only replaced
    _registration = threading.Lock()
    _listeners.clear()
    _generation += 1
    _settling_threads.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


class Delivery(PendingRecord, gc=False, eq=False):
    """The outcome of one ``put``, now or later; in the manner of ``concurrent.futures.Future``, and lighter.

    Most deliveries are never waited for: their outcome is written once for all that travelled together, and
    nobody looks at each of them. Settling writes the outcome and then looks for listeners; listening
    registers and then looks for the outcome: one of the two sees the other.

    Attributes:
        generation: Which process in a line of forks put it; for the producer alone.
    """

    generation: int = 0

    def done(self) -> bool:
        """Whether the outcome is there."""
        return self.settlement.outcome is not None

    def result(self, timeout: float | None = None) -> Delivered:
        """Wait until Kinesis has acknowledged the record.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            Where the record ended up.

        Raises:
            DeliveryFailedError: The record was given up.
            TimeoutError: There is no outcome yet; the record is still on its way.
            WaitInCallbackError: A delivery callback asked, and there is no outcome yet.
            ForkedProducerError: There is no outcome yet, and it will come to the parent process.
        """
        outcome = self.settlement.outcome or self._wait(timeout)
        if isinstance(outcome, Rejected):
            raise DeliveryFailedError(outcome.reason, self.attempts)
        attempts = (*self.attempts[1 - REMEMBERED_ATTEMPTS :], outcome.attempt)
        return Delivered(outcome.shard_id, outcome.sequence_number, self.index, attempts)

    def exception(self, timeout: float | None = None) -> DeliveryFailedError | None:
        """Wait for the outcome and return the error that ``result`` would raise, or None.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Raises:
            TimeoutError: There is no outcome yet.
            WaitInCallbackError: A delivery callback asked, and there is no outcome yet.
        """
        outcome = self.settlement.outcome or self._wait(timeout)
        return DeliveryFailedError(outcome.reason, self.attempts) if isinstance(outcome, Rejected) else None

    def __await__(self) -> Generator[object, None, Delivered]:
        """Wait for the outcome in a coroutine, as ``result`` does in a thread.

        Raises:
            DeliveryFailedError: The record was given up.
            ForkedProducerError: There is no outcome yet, and it will come to the parent process.
        """
        if not self.done():
            loop = asyncio.get_running_loop()
            waker = waker_of(loop)
            settled = loop.create_future()
            self.add_done_callback(lambda _: waker.resolve(settled))
            yield from settled
        return self.result()

    def add_done_callback(self, callback: Callable[["Delivery"], object]) -> None:
        """Call ``callback(delivery)`` when the outcome is there, at once if it already is.

        It runs in the producer's own thread: it must be quick, and must wait for nothing the producer does.
        What it raises is logged.

        Raises:
            ForkedProducerError: There is no outcome yet, and it will come to the parent process.
        """
        if self._listen(callback):
            return
        try:
            callback(self)
        except Exception:
            logger.exception("a delivery callback failed")

    def tell_listeners(self) -> None:
        """Tell whoever waits for the outcome that is now there; for the producer alone."""
        with _registration:
            listeners = _listeners.pop(self, ())
        for listener in listeners:
            try:
                listener(self)
            except BaseException:
                # Not even an exit: it would end the thread on which all other outcomes depend.
                logger.exception("a delivery callback failed")

    def _wait(self, timeout: float | None) -> Landed | Rejected:
        if in_settling_thread():
            raise WaitInCallbackError("result")
        settled = threading.Event()

        def listener(_: Delivery) -> None:
            settled.set()

        if self._listen(listener):
            try:
                settled.wait(timeout)
            finally:
                with _registration:
                    self._forget(listener)
        outcome = self.settlement.outcome
        if outcome is None:
            raise TimeoutError(f"no outcome within {timeout} s; the record is still on its way")
        return outcome

    def _listen(self, listener: Callable[["Delivery"], object]) -> bool:
        """Register a listener unless the outcome is there; return whether it will be told."""
        if self.done():
            return False
        if self.generation != _generation:
            raise ForkedProducerError
        with _registration:
            _listeners.setdefault(self, []).append(listener)
            # The settlement either sees the listener or has written the outcome by now.
            if not self.done():
                return True
            self._forget(listener)
        return False

    def _forget(self, listener: Callable[["Delivery"], object]) -> None:
        """Take back the last registration of a listener unless it has been told; under the lock."""
        listeners = _listeners.get(self, [])
        for place in reversed(range(len(listeners))):
            # By identity: the application's callbacks may be equal to each other.
            if listeners[place] is listener:
                del listeners[place]
                if not listeners:
                    del _listeners[self]
                return


# The garbage collector does not follow deliveries, so an assignment has no books to keep for it: the
# interpreter's own takes a third of the time of msgspec's.
for _name in ("__setattr__", "__delattr__"):
    setattr(Delivery, _name, getattr(object, _name))


def settle(records: Iterable[Delivery], settlement: Settlement, outcome: Landed | Rejected) -> None:
    """Fix the outcome of all records that share a settlement; for the producer alone."""
    settlement.outcome = outcome
    if _listeners:
        for delivery in records:
            if delivery in _listeners:
                delivery.tell_listeners()


def listening(delivery: Delivery) -> int:
    """Return how many wait for the outcome of a delivery, or will be called."""
    return len(_listeners.get(delivery, ()))


def current_generation() -> int:
    """Return what marks deliveries as this process' own."""
    return _generation


@contextmanager
def settling_thread() -> Iterator[None]:
    """Keep the current thread from waiting for deliveries: it is the one that settles them."""
    ident = threading.get_ident()
    _settling_threads.add(ident)
    try:
        yield
    finally:
        _settling_threads.discard(ident)


def in_settling_thread() -> bool:
    """Whether this is a producer's own thread, where delivery callbacks run."""
    return threading.get_ident() in _settling_threads
