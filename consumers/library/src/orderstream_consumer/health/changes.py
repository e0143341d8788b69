"""Logs when a process becomes unhealthy, with the reason, and when it is healthy again.

A person does not reach ``/health`` where only probes do, as in a private network::

              not healthy: "unhealthy", the reason
    healthy ──────────────────────────────────────> unhealthy
       ^                                                │
       └──────────── "healthy again", how long ─────────┘
"""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Final

from orderstream_consumer.health.server import Report
from orderstream_consumer.processing.processor import StopSignal

logger = logging.getLogger(__name__)

_LOOK_EVERY: Final = 5.0
"""Seconds between two looks; nothing becomes unhealthy within less than a minute."""


class HealthChanges:
    """Watches what a process reports of itself. ``run`` belongs to a thread of its own.

    Args:
        report: Gives what ``/health`` says.
        clock: The time (UTC).
    """

    def __init__(self, report: Report, clock: Callable[[], dt.datetime]) -> None:
        self._report = report
        self._clock = clock
        self._unhealthy_since: dt.datetime | None = None

    def run(self, stop: StopSignal) -> None:
        """Look until stopped."""
        while not stop.is_set():
            self.look()
            stop.wait(_LOOK_EVERY)

    def look(self) -> None:
        """Log a change of state, once."""
        try:
            report = self._report()
            healthy, reason = bool(report["healthy"]), report.get("reason")
        except Exception as error:  # noqa: BLE001 - that it cannot be told must not end the process
            healthy, reason = False, f"its state cannot be told: {type(error).__name__}: {error}"
        since, now = self._unhealthy_since, self._clock()
        if not healthy and since is None:
            self._unhealthy_since = now
            logger.warning("unhealthy", extra={"reason": reason})
        elif healthy and since is not None:
            self._unhealthy_since = None
            lasted = round((now - since).total_seconds(), 1)
            logger.info("healthy again", extra={"duration_seconds": lasted})
