"""Waiting for what an order does next, on behalf of a request: bounded in number and in time.

A request that waits holds no thread: it asks the read model again and again, less and less often::

    asked ──done, or too many wait──> responded
      │  ^                               ^
      v  │ pause, longer each time       │
    waiting ──time is up, the client has gone, or the process stops
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio
from starlette.requests import Request

from orderstream_orders.api.measuring import note_wait

T = TypeVar("T")

MOST_SECONDS: Final = 25
"""For which a request may wait: an API Gateway HTTP API gives an integration 30 seconds at most
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html)."""

MOST_WAITING: Final = 200
"""Requests that wait at one time; each asks the read model once a second at most."""

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 1.0
_GROWTH: Final = 1.5


class Followers:
    """The requests of one process that wait.

    Args:
        most: How many may wait at one time, at least 1.
        stopping: Whether the process is about to end: nobody waits then.
        monotonic: Seconds of a clock that never goes back.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        *,
        most: int = MOST_WAITING,
        stopping: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._most = most
        self._stopping = stopping
        self._monotonic = monotonic
        self._sleep = sleep
        self._waiting = 0

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        return self._monotonic()

    @property
    def full(self) -> bool:
        """Whether another request would not wait."""
        return self._waiting >= self._most

    async def until(
        self, request: Request, seconds: float, ask: Callable[[], Awaitable[T]], done: Callable[[T], bool]
    ) -> T:
        """Ask until the result is what the request waits for.

        Args:
            request: Waits; once its client has gone, nobody asks for it any more.
            seconds: For how long it waits at most, 0 or more.
            ask: Asks once. What it raises ends the wait.
            done: Whether the request waits for this result.

        Returns:
            The last result: ``done``, or what there is when the wait is over. Where too many wait already,
            that is the first.
        """
        result = await ask()
        if done(result) or seconds <= 0:
            return result
        return await self.news(request, seconds, ask, done, result)

    async def news(
        self,
        request: Request,
        seconds: float,
        ask: Callable[[], Awaitable[T]],
        done: Callable[[T], bool],
        known: T,
    ) -> T:
        """The same for a request that has asked by itself: a pause comes first.

        Args:
            request: See ``until``.
            seconds: See ``until``.
            ask: See ``until``.
            done: See ``until``.
            known: The result where nobody asks: too many wait, the process stops, or the client has gone.
        """
        if self.full:
            return known
        result, began, pause = known, self._monotonic(), _FIRST_PAUSE
        self._waiting += 1
        try:
            while not (self._stopping() or await request.is_disconnected()):
                left = began + seconds - self._monotonic()
                if left <= 0:
                    break
                await self._sleep(min(pause, left))
                pause = min(pause * _GROWTH, _LONGEST_PAUSE)
                result = await ask()
                if done(result):
                    break
            return result
        finally:
            self._waiting -= 1
            note_wait(request.scope, self._monotonic() - began)
