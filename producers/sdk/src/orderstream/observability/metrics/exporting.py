"""Hands a meter's collections to exporters, on threads of its own.

::

    meter ──every tick──> collected ──┬─> outbox ──every period──> exporter
                                      └─> outbox ──every period──> exporter

An outbox merges what its exporter has not taken yet, so one that is down or slow costs detail and neither
counts nor memory, and no other exporter waits for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Final, Protocol, Self

from orderstream.configuration import ConfigError
from orderstream.observability.metrics.aggregating_meter import AggregatingMeter
from orderstream.observability.metrics.aggregation import Collected, merged

logger = logging.getLogger(__name__)

TICK: Final = 10.0
"""Seconds between two collections, and so between two readings of a gauge."""

PERIOD: Final = 60.0
"""Seconds between two exports: CloudWatch keeps a figure a minute."""

CLOSE_TIMEOUT: Final = 5.0
"""Seconds that the end of a process waits for its last metrics to be taken."""


class Exporter(Protocol):
    """Takes collected metrics somewhere.

    Attributes:
        period: Seconds between two exports.
    """

    period: float

    def export(self, collected: Collected) -> None:
        """Take them; whatever it raises, they are kept, and come again with the next ones.

        It is called from one thread at a time, and by a close at the latest.
        """


class Exporting(AbstractContextManager["Exporting"]):
    """Exports a meter while the body runs, and what is left at its end.

    Args:
        meter: What is collected.
        exporters: Where it goes.
        tick: Seconds between two collections, above 0.
        monotonic: Monotonic seconds: a wall clock that steps changes no pace.

    Raises:
        ConfigError: ``tick`` is not above 0.
    """

    def __init__(
        self,
        meter: AggregatingMeter,
        exporters: Sequence[Exporter],
        *,
        tick: float = TICK,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if tick <= 0:
            raise ConfigError("tick", tick, "more than 0")
        self._meter = meter
        self._tick = tick
        self._monotonic = monotonic
        self._outboxes = [_Outbox(exporter, monotonic) for exporter in exporters]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def __enter__(self) -> Self:
        """Begin to collect."""
        for outbox in self._outboxes:
            outbox.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Export what is left."""
        self.close()

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Collect a last time, and wait until exporters have taken it; a second time does nothing.

        Args:
            timeout: Seconds that all of them together may take; one that takes longer is left behind.
        """
        if self._stopped.is_set():
            return
        deadline = self._monotonic() + timeout
        self._stopped.set()
        self._thread.join(timeout)
        self.collect()
        for outbox in self._outboxes:
            outbox.stop()
        for outbox in self._outboxes:
            outbox.join(max(0.0, deadline - self._monotonic()))

    def collect(self) -> None:
        """Collect now, and hand over to the exporters' threads."""
        content = self._meter.collect()
        for outbox in self._outboxes:
            # Each merges into its own: two that shared points would count twice.
            outbox.offer(deepcopy(content))

    def _run(self) -> None:
        while not self._stopped.wait(self._tick):
            self.collect()


class _Outbox:
    """What one exporter has not taken yet, and the thread that brings it."""

    def __init__(self, exporter: Exporter, monotonic: Callable[[], float]) -> None:
        self._exporter = exporter
        self._monotonic = monotonic
        self._pending: Collected | None = None
        self._due = monotonic() + exporter.period
        self._changed = threading.Condition()
        self._stopping = False
        self._busy_since: float | None = None
        self._warned = False
        name = f"metrics-{type(exporter).__name__}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Export what is pending at once, then end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._warn("it does not end; the last metrics are lost")

    def offer(self, collected: Collected) -> None:
        """Add to what is pending; an exporter that hangs is reported once."""
        with self._changed:
            self._pending = merged(self._pending, collected)
            busy_since = self._busy_since
            self._changed.notify()
        if busy_since is not None and self._monotonic() - busy_since > self._exporter.period:
            self._warn("it takes longer than its period; metrics are kept until it is done")

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and (self._pending is None or self._monotonic() < self._due):
                    self._changed.wait(
                        None if self._pending is None else max(0.0, self._due - self._monotonic())
                    )
                stopping, taken, self._pending = self._stopping, self._pending, None
            if taken is not None:
                self._export(taken)
            if stopping:
                return

    def _export(self, taken: Collected) -> None:
        self._busy_since = self._monotonic()
        try:
            self._exporter.export(taken)
        except Exception as error:  # noqa: BLE001 - metrics never stop what they measure
            self._warn(f"{type(error).__name__}: {error}")
            with self._changed:
                self._pending = taken if self._pending is None else merged(taken, self._pending)
        else:
            if self._warned:
                logger.info("metrics are exported again", extra={"exporter": type(self._exporter).__name__})
            self._warned = False
        self._busy_since = None
        # From now on, not from when it was due: one that is slow is not called without a pause.
        self._due = self._monotonic() + self._exporter.period

    def _warn(self, why: str) -> None:
        """Warn once, until it works again."""
        if not self._warned:
            self._warned = True
            logger.warning(
                "metrics are not exported; they are kept",
                extra={"exporter": type(self._exporter).__name__, "error": why},
            )
