"""Hands what was received to another collector too, without waiting for it."""

import logging
import queue
import threading
import time
from typing import Final, Self

import httpx

from orderstream_consumer.processing.log_throttle import LogThrottle

logger = logging.getLogger(__name__)

_MOST: Final = 256
"""Requests that wait; what is beyond them is dropped."""

_WARN_EVERY: Final = 600.0
_PATIENCE: Final = 5.0


class PassingOn:
    """A context manager, with a thread of its own while the body runs.

    Args:
        url: Base URL of the other collector.
        http: Calls it.
    """

    def __init__(self, url: str, http: httpx.Client) -> None:
        self._url = f"{url.rstrip('/')}/v1/traces"
        self._http = http
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_MOST)
        self._warnings = LogThrottle(_WARN_EVERY)
        self._thread = threading.Thread(target=self._run, name="passing-on", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hand over what is left, for a few seconds."""
        try:
            self._waiting.put(None, timeout=_PATIENCE)
        except queue.Full:
            return
        self._thread.join(_PATIENCE)

    def take(self, body: bytes) -> None:
        """Hand one request over, later; it is dropped where too many wait."""
        try:
            self._waiting.put_nowait(body)
        except queue.Full:
            self._warn("it is too slow")

    def _run(self) -> None:
        while (body := self._waiting.get()) is not None:
            try:
                self._http.post(
                    self._url,
                    content=body,
                    headers={"Content-Type": "application/x-protobuf"},
                    timeout=_PATIENCE,
                ).raise_for_status()
            except httpx.HTTPError as error:
                self._warn(f"{type(error).__name__}: {error}")

    def _warn(self, reason: str) -> None:
        if self._warnings.is_due(time.monotonic()):
            logger.warning("spans are not passed on", extra={"url": self._url, "reason": reason})
