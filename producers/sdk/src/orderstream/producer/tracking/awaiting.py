"""Lets coroutines wait for what the owner thread does: one wake-up of the event loop for a whole batch."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

logger = logging.getLogger(__name__)

Kind = TypeVar("Kind")


class LoopWaker:
    """Resolves futures of one event loop, and calls back there, from any thread.

    Waking a loop costs more than completing a hundred records, so it is woken once for all that is resolved
    until it has looked.

    Args:
        loop: The event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # The waker is found by its loop, and must not keep it alive.
        self._loop = ref(loop)
        self._calls: deque[tuple[Callable[[Any], object], object]] = deque()
        self._called = False

    def resolve(self, future: "asyncio.Future[None]") -> None:
        """Resolve the futures that coroutines of this loop await."""
        self.call(_resolve, future)

    def call(self, callback: Callable[[Kind], object], argument: Kind) -> None:
        """Call back in the loop; what the callback raises is logged."""
        self._calls.append((callback, argument))
        if self._called:
            return
        self._called = True
        loop = self._loop()
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._resume)
        except RuntimeError:
            # The loop was closed: nothing waits there any more, and other listeners must still be notified.
            logger.debug("an event loop was closed before its deliveries were completed")

    def _resume(self) -> None:
        # Before the queue is emptied: what is added behind its end calls again.
        self._called = False
        while self._calls:
            callback, argument = self._calls.popleft()
            try:
                callback(argument)
            except BaseException:
                # The others get their outcome all the same.
                logger.exception("a delivery callback failed")


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


_wakers: "WeakKeyDictionary[asyncio.AbstractEventLoop, LoopWaker]" = WeakKeyDictionary()


def waker_of(loop: asyncio.AbstractEventLoop) -> LoopWaker:
    """Return the one waker of an event loop; to be called in that loop."""
    waker = _wakers.get(loop)
    if waker is None:
        waker = _wakers[loop] = LoopWaker(loop)
    return waker
