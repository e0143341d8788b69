"""Payments that were received too often: what a person sees of them and does with them.

A message is only a bell, and the payment's state says what is to be done: so ringing again is always safe,
and the dead letters of one order are handled together.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from orderstream_workers.services.payments.queue import PaymentQueue, QueuedPayment
from orderstream_workers.services.payments.queue_limits import MAX_MESSAGES

logger = logging.getLogger(__name__)

_VISIBILITY: Final = 60
"""Seconds that dead letters stay hidden at most, should this process die while it looks at them."""

_LOOKING: Final = 20.0
"""Seconds after which no more are received: the first would come back before the last is in hand."""

_WAIT: Final = 1
"""Seconds to wait for more: above 0, SQS asks all of its servers instead of a few."""


class PaymentDeadLetters:
    """The dead letters of the payment queue.

    Args:
        dead_letters: The queue that they are in.
        queue: The queue that they came from.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        dead_letters: PaymentQueue,
        queue: PaymentQueue,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dead_letters = dead_letters
        self._queue = queue
        self._clock = clock

    def waiting(self) -> list[QueuedPayment]:
        """The dead letters, in no particular order: all, or as many as 20 seconds of receiving return.

        Raises:
            DependencyError: the queue did not respond.
        """
        with self._in_hand() as messages:
            return list(messages)

    def redrive(self, *order_ids: str) -> int:
        """Hand orders back to the payment workers.

        Args:
            *order_ids: The orders.

        Returns:
            How many dead letters they had; 0 if none has any, and nothing was done.

        Raises:
            DependencyError: a queue did not respond; do it again.
        """
        with self._in_hand() as messages:
            theirs = [message for message in messages if message.order_id in order_ids]
            for order_id in dict.fromkeys(message.order_id for message in theirs):
                # Released last: until this is acknowledged, the dead letters stay.
                self._queue.send(order_id)
            self._delete(theirs, messages)
            return len(theirs)

    def discard(self, *order_ids: str) -> int:
        """Delete orders' dead letters. The payments stay as they are until their sagas ask for something.

        Args:
            *order_ids: The orders.

        Returns:
            How many dead letters they had.

        Raises:
            DependencyError: the queue did not respond; do it again.
        """
        with self._in_hand() as messages:
            theirs = [message for message in messages if message.order_id in order_ids]
            self._delete(theirs, messages)
        if theirs:
            logger.info("payment dead letters discarded", extra={"messages": len(theirs)})
        return len(theirs)

    def _delete(self, its_own: list[QueuedPayment], messages: list[QueuedPayment]) -> None:
        for message in its_own:
            self._dead_letters.delete(message)
            messages.remove(message)

    @contextmanager
    def _in_hand(self) -> Iterator[list[QueuedPayment]]:
        """Receive all; what is left in the list at the end is handed back."""
        messages: list[QueuedPayment] = []
        deadline = self._clock() + _LOOKING
        try:
            while received := self._dead_letters.receive(MAX_MESSAGES, wait=_WAIT, visibility=_VISIBILITY):
                messages += received
                if self._clock() > deadline:
                    logger.warning("there may be more dead letters", extra={"messages": len(messages)})
                    break
            yield messages
        finally:
            for message in messages:
                self._dead_letters.extend(message, 0)
