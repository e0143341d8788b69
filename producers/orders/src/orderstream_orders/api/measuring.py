"""Measures each request from outside: status and time."""

import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orderstream.observability.metrics import Meter
from orderstream_orders.api.metrics import LATENCY, RESPONSES

_WAITED: Final = "waited_seconds"


def note_wait(scope: Scope, seconds: float) -> None:
    """A request has waited because its client asked it to: that is no part of its latency.

    Args:
        scope: The request's.
        seconds: How long it has waited, beside what was noted before.
    """
    state = scope.setdefault("state", {})
    state[_WAITED] = state.get(_WAITED, 0.0) + seconds


class RequestMeasuring:
    """An ASGI middleware, outside of all others.

    Args:
        app: What responds.
        meter: Takes the figures.
        monotonic: Seconds of a clock that never goes back.
    """

    def __init__(
        self, app: ASGIApp, *, meter: Meter, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._meter = meter
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, and measure it; a probe is no request of a client."""
        if scope["type"] != "http" or scope["path"].startswith("/health"):
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        begun, status = self._monotonic(), 500  # what is raised from here on becomes a 500 outside

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._meter.record(RESPONSES, 1, f"{status // 100}xx")
            took = self._monotonic() - begun - state.get(_WAITED, 0.0)
            self._meter.record(LATENCY, max(took, 0.0) * 1_000)
