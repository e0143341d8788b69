"""The handle that ``put`` returns."""

from collections.abc import Callable, Generator
from concurrent.futures import Future

from orderstream.aggregation.user_record import UserRecord
from orderstream.producer.errors import DeliveryFailedError
from orderstream.producer.outcome import Delivered


class Delivery:
    """The outcome of one ``put``, now or later.

    It is awaitable and has the methods of a future, so that ``asyncio.wait``, ``gather`` and ``wait_for``
    take it. It is lighter than a future and no instance of one: for ``concurrent.futures.wait`` and all that
    asks for instances there is ``as_future``. A record on its way cannot be called back: ``cancel`` does
    nothing. Nothing needs to be done with it.

    Only a producer makes deliveries.
    """

    __slots__ = ()

    @property
    def record(self) -> UserRecord:
        """What was put."""
        raise NotImplementedError

    def done(self) -> bool:
        """Whether the outcome is there."""
        raise NotImplementedError

    def result(self, timeout: float | None = None) -> Delivered:
        """Wait until Kinesis has acknowledged the record.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            Where the record ended up.

        Raises:
            DeliveryFailedError: The record was given up.
            DeliveryPendingError: There is no outcome yet, and the record is still on its way; a TimeoutError.
            WaitInCallbackError: A delivery callback asked, and there is no outcome yet.
            ForkedProducerError: There is no outcome yet, and it will reach the parent process only.
        """
        raise NotImplementedError

    def exception(self, timeout: float | None = None) -> DeliveryFailedError | None:
        """Wait for the outcome and return the error that ``result`` would raise, or None.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Raises:
            DeliveryPendingError: There is no outcome yet.
            WaitInCallbackError: A delivery callback asked, and there is no outcome yet.
            ForkedProducerError: There is no outcome yet, and it will reach the parent process only.
        """
        raise NotImplementedError

    def __await__(self) -> Generator[object, None, Delivered]:
        """Wait for the outcome in a coroutine, as ``result`` does in a thread.

        Raises:
            DeliveryFailedError: The record was given up.
            ForkedProducerError: There is no outcome yet, and it will reach the parent process only.
        """
        raise NotImplementedError

    def add_done_callback(self, callback: Callable[["Delivery"], object]) -> None:
        """Call ``callback(delivery)`` when the outcome is there, at once if it already is.

        A callback that is added in a running event loop is called in that loop. Any other runs in the
        producer's own thread: it must be quick, and must wait for nothing the producer does. What it raises
        is logged.

        Raises:
            ForkedProducerError: There is no outcome yet, and it will reach the parent process only.
        """
        raise NotImplementedError

    def remove_done_callback(self, callback: Callable[["Delivery"], object]) -> int:
        """Take a callback back that has not been called; return how often it had been added."""
        raise NotImplementedError

    def cancel(self) -> bool:
        """Do nothing and return False: a record on its way cannot be called back."""
        return False

    def cancelled(self) -> bool:
        """Return False."""
        return False

    def as_future(self) -> "Future[Delivered]":
        """Make a future of the same outcome, for ``concurrent.futures.wait`` and ``asyncio.wrap_future``."""
        future: Future[Delivered] = Future()
        future.set_running_or_notify_cancel()
        self.add_done_callback(lambda delivery: _resolve(future, delivery))
        return future


def _resolve(future: "Future[Delivered]", delivery: Delivery) -> None:
    error = delivery.exception()
    if error is None:
        future.set_result(delivery.result())
    else:
        future.set_exception(error)
