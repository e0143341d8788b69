"""What delivery has done so far, for metrics and for ``/health``."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from orderstream.observability.metrics import Meter, Metric, NoMeter
from orderstream_consumer.processing.metrics import TALLIED

_FAILURE_LASTS: Final = 90.0
"""Seconds for which a failure explains why nothing is handled; a lasting failure repeats within seconds."""


class DeliveryTally:
    """Counts events by name, from any thread: ``handled``, ``retried``, ``parked``, ``abandoned``.

    ``given_up`` counts what ended work on a shard: a lane ended by force, a refused checkpoint.
    ``overtook`` counts the tries of records that do not wait behind parked ones. A service counts beside
    them what it meets and cannot use, such as ``unknown_type``.

    Args:
        clock: Monotonic seconds.
        meter: Takes the events that are metrics, too.
        metrics: Those of a service, by the names that it counts.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        meter: Meter | None = None,
        metrics: Mapping[str, Metric] | None = None,
    ) -> None:
        self._clock = clock
        self._meter = meter or NoMeter()
        self._metrics = {**TALLIED, **(metrics or {})}
        self._failure: tuple[str, float] | None = None
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, event: str) -> None:
        """Count one event."""
        with self._lock:
            self._counts[event] += 1
        metric = self._metrics.get(event)
        if metric is not None:
            self._meter.record(metric)

    def retried(self, reason: str) -> None:
        """Count one failure that is tried again, and remember its reason for ``/health``."""
        with self._lock:
            self._failure = (reason, self._clock())
        self.count("retried")

    def failure(self) -> str | None:
        """The reason of the last failure; None if there was none in the last 90 seconds."""
        with self._lock:
            if self._failure is None or self._clock() - self._failure[1] > _FAILURE_LASTS:
                return None
            return self._failure[0]

    def figures(self) -> dict[str, int]:
        """The counts so far."""
        with self._lock:
            return dict(self._counts)
