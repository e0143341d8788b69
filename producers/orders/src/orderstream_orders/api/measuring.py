"""Measures each request from outside: status and time."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orderstream.observability.metrics import Meter
from orderstream_orders.api.metrics import LATENCY, RESPONSES


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
            self._meter.record(LATENCY, (self._monotonic() - begun) * 1_000)
