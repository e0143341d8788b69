"""The handle that ``put`` returns."""

import logging
import threading
from collections.abc import Callable

from orderstream.kpl.errors import DeliveryFailedError
from orderstream.kpl.outcome import Acknowledged, Attempt, Delivered, Rejected
from orderstream.kpl.user_record import UserRecord

logger = logging.getLogger(__name__)

# Taken only by those who wait or listen before the outcome is there, and by the settlement that finds them.
_registration = threading.Lock()


class Delivery:
    """The outcome of one ``put``, now or later; in the manner of ``concurrent.futures.Future``, and lighter.

    Most deliveries are never waited for, so the means of waiting are made by the first who waits. Settling
    writes the outcome and then looks for listeners; listening registers and then looks for the outcome: one
    of the two sees the other.

    Args:
        record: What was put.
        epoch: When it was put, in terms of the producer's buffer.
        size: What it takes from the buffer, in bytes.

    Attributes:
        record: What was put.
    """

    __slots__ = ("_attempts", "_callbacks", "_event", "_index", "_outcome", "epoch", "record", "size")

    def __init__(self, record: UserRecord, epoch: int, size: int) -> None:
        self.record = record
        self.epoch = epoch
        self.size = size
        self._outcome: Acknowledged | Rejected | None = None
        self._index = 0
        self._attempts: tuple[Attempt, ...] = ()
        self._event: threading.Event | None = None
        self._callbacks: list[Callable[[Delivery], object]] | None = None

    def done(self) -> bool:
        """Whether the outcome is there."""
        return self._outcome is not None

    def result(self, timeout: float | None = None) -> Delivered:
        """Wait until Kinesis has acknowledged the record.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            Where the record ended up.

        Raises:
            DeliveryFailedError: The record was given up.
            TimeoutError: There is no outcome yet; the record is still on its way.
        """
        outcome = self._wait(timeout)
        if isinstance(outcome, Rejected):
            raise DeliveryFailedError(outcome.reason, self._attempts)
        return Delivered(outcome.shard_id, outcome.sequence_number, self._index, self._attempts)

    def exception(self, timeout: float | None = None) -> DeliveryFailedError | None:
        """Wait for the outcome and return the error that ``result`` would raise, or None.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Raises:
            TimeoutError: There is no outcome yet.
        """
        outcome = self._wait(timeout)
        return DeliveryFailedError(outcome.reason, self._attempts) if isinstance(outcome, Rejected) else None

    def add_done_callback(self, callback: Callable[["Delivery"], object]) -> None:
        """Call ``callback(delivery)`` when the outcome is there, at once if it already is.

        It runs in the producer's own thread: it must be quick, and must wait for nothing the producer does.
        What it raises is logged.
        """
        with _registration:
            callbacks = self._callbacks = self._callbacks or []
            callbacks.append(callback)
            if self._outcome is None:
                return
            callbacks.remove(callback)
        self._call(callback)

    def settle(self, outcome: Acknowledged | Rejected, index: int, attempts: tuple[Attempt, ...]) -> None:
        """Fix the outcome; for the producer alone.

        Args:
            outcome: What became of the record.
            index: Its index in its Kinesis record.
            attempts: The most recent attempts.
        """
        assert self._outcome is None, "a record has one outcome"
        self._index = index
        self._attempts = attempts
        self._outcome = outcome
        if self._event is None and self._callbacks is None:
            return
        with _registration:
            callbacks, self._callbacks = self._callbacks or [], None
            if self._event is not None:
                self._event.set()
        for callback in callbacks:
            self._call(callback)

    def _wait(self, timeout: float | None) -> Acknowledged | Rejected:
        if self._outcome is None:
            with _registration:
                event = self._event = self._event or threading.Event()
            # The settlement either sees the event or has fixed the outcome by now.
            if not self.done():
                event.wait(timeout)
        outcome = self._outcome
        if outcome is None:
            raise TimeoutError(f"no outcome within {timeout} s; the record is still on its way")
        return outcome

    def _call(self, callback: Callable[["Delivery"], object]) -> None:
        try:
            callback(self)
        except Exception:
            logger.exception("a delivery callback failed")
