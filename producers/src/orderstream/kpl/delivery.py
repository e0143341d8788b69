"""The handle that ``put`` returns."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Union

import msgspec

from orderstream.kpl.awaiting import waker_of
from orderstream.kpl.errors import DeliveryFailedError, ForkedProducerError, WaitInCallbackError
from orderstream.kpl.outcome import REMEMBERED_ATTEMPTS, Delivered, Landed, Rejected
from orderstream.kpl.pending import PendingRecord

logger = logging.getLogger(__name__)

# Taken only by those who wait or listen before the outcome is there, and by the settlement that finds them.
_registration = threading.Lock()

# The threads that settle deliveries: what they wait for would never come.
_settling_threads: set[int] = set()


# How many forks lie between the first process and this one: deliveries of another count are another's.
_generation = 0


def _start_anew() -> None:
    """After a fork: the lock may have been taken by a thread that does not exist here."""
    global _registration, _generation  # noqa: PLW0603 - a lock cannot be reset, only replaced
    _registration = threading.Lock()
    _generation += 1
    _settling_threads.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


class Waiters(msgspec.Struct):
    """Who wants to know the outcome.

    Attributes:
        event: Set when the outcome is there.
        callbacks: Called when it is there.
    """

    event: threading.Event | None = None
    callbacks: list[Callable[["Delivery"], object]] = []


class Delivery(PendingRecord, gc=False, eq=False):
    """The outcome of one ``put``, now or later; in the manner of ``concurrent.futures.Future``, and lighter.

    Most deliveries are never waited for, so the means of waiting are made by the first who waits. Settling
    writes the outcome and then looks for listeners; listening registers and then looks for the outcome: one
    of the two sees the other.

    Attributes:
        index: The record's index in its Kinesis record, once the outcome is there.
        outcome: What became of the record, for the producer to set; use ``result``.
        waiters: Who waits for the outcome; for the producer alone.
        generation: Which process in a line of forks put it; for the producer alone.
    """

    index: int = 0
    outcome: Union[Landed, Rejected, None] = None  # noqa: UP007 - evaluated at run time
    waiters: Union[Waiters, None] = None  # noqa: UP007

    generation: int = 0

    def done(self) -> bool:
        """Whether the outcome is there."""
        return self.outcome is not None

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
        outcome = self.outcome or self._wait(timeout)
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
        outcome = self.outcome or self._wait(timeout)
        return DeliveryFailedError(outcome.reason, self.attempts) if isinstance(outcome, Rejected) else None

    def __await__(self) -> Generator[object, None, Delivered]:
        """Wait for the outcome in a coroutine, as ``result`` does in a thread."""
        if self.outcome is None:
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
        """
        with _registration:
            if self.waiters is None:
                self.waiters = Waiters()
            callbacks = self.waiters.callbacks
            callbacks.append(callback)
            if self.outcome is None:
                return
            callbacks.remove(callback)
        self._call(callback)

    def tell_waiters(self) -> None:
        """Wake whoever waits for the outcome that is now there; for the producer alone."""
        with _registration:
            waiters, self.waiters = self.waiters, None
        if waiters is None:
            return
        if waiters.event is not None:
            waiters.event.set()
        for callback in waiters.callbacks:
            self._call(callback)

    def _wait(self, timeout: float | None) -> Landed | Rejected:
        if in_settling_thread():
            raise WaitInCallbackError("result")
        if self.generation != _generation:
            raise ForkedProducerError
        with _registration:
            if self.waiters is None:
                self.waiters = Waiters()
            event = self.waiters.event = self.waiters.event or threading.Event()
        # The settlement either sees the event or has fixed the outcome by now.
        if self.outcome is None:
            event.wait(timeout)
        outcome = self.outcome
        if outcome is None:
            raise TimeoutError(f"no outcome within {timeout} s; the record is still on its way")
        return outcome

    def _call(self, callback: Callable[["Delivery"], object]) -> None:
        try:
            callback(self)
        except Exception:
            logger.exception("a delivery callback failed")


def settle(records: Iterable[Delivery], outcome: Landed | Rejected) -> None:
    """Fix the outcome of the records of one Kinesis record, in its order; for the producer alone."""
    for index, delivery in enumerate(records):
        delivery.index = index
        delivery.outcome = outcome
        if delivery.waiters is not None:
            delivery.tell_waiters()


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
