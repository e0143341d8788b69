"""The standard meter: aggregates values in memory until they are exported."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from orderstream.configuration import ConfigError
from orderstream.observability.metrics.aggregation import Aggregation, Collected
from orderstream.observability.metrics.metric import Metric

logger = logging.getLogger(__name__)

MAX_SERIES: Final = 100
"""Combinations of labels that a metric may have; each costs as a custom metric of its own."""


class AggregatingMeter:
    """Aggregates values; see ``Meter``. Thread-safe; its memory is bounded, whatever is recorded.

    Args:
        dimensions: Dimensions that all its metrics have, such as the application. Each combination of their
            values is a set of custom metrics: no ids.
        max_series: How many combinations of labels a metric may have, 1 to 10,000. What is beyond them counts
            under the label ``(other)``, after one warning.
        clock: Seconds since 1970.

    Raises:
        ConfigError: ``max_series`` is out of range.
    """

    def __init__(
        self,
        dimensions: Mapping[str, str] | None = None,
        *,
        max_series: int = MAX_SERIES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not 1 <= max_series <= 10_000:
            raise ConfigError("max_series", max_series, "1 to 10,000")
        self._aggregation = Aggregation(dimensions or {}, max_series)
        self._clock = clock
        self._lock = threading.Lock()
        self._readers: list[Callable[[], object]] = []
        self._failing: set[int] = set()

    def record(self, metric: Metric, value: float = 1, *labels: str, times: int = 1) -> None:
        """See ``Meter``."""
        try:
            with self._lock:
                problem = self._aggregation.record(metric, value, labels, times)
        except Exception as error:  # noqa: BLE001 - metrics never stop what they measure
            problem = f"a value of no use was recorded: {type(error).__name__}: {error}"
        if problem is not None:
            logger.warning("metrics are incomplete", extra={"problem": problem})

    def before_collecting(self, read: Callable[[], object]) -> None:
        """Call a function before each collection, every ten seconds or so: to record gauges.

        Args:
            read: Records them. It must be quick; should it raise, that is logged once and the others go on.
        """
        self._readers.append(read)

    def absorb(self, collected: Collected) -> None:
        """Take in what the meter of another process has put together."""
        with self._lock:
            self._aggregation.absorb(collected)

    def collect(self) -> Collected:
        """Return what was recorded since the last collection."""
        for number, read in enumerate(self._readers):
            try:
                read()
            except Exception:
                if number not in self._failing:
                    self._failing.add(number)
                    logger.warning("a reading for metrics fails", exc_info=True)
            else:
                self._failing.discard(number)
        with self._lock:
            return self._aggregation.collect(self._clock())
