"""A rate limit that all containers share: GCRA on one item of the store.

The generic cell rate algorithm (ITU-T I.371) keeps one number, the theoretical arrival time: when the next
permit would be due if permits were handed out evenly. It needs no counters per window and no refill.

Containers compare their own clocks with the stored time; hosts with NTP are within milliseconds of it. One
that is behind another by less than a second waits as much longer for its permits. A time that no right clock
can have stored (further ahead than a whole burst and a second) is distrusted: one host
whose clock runs ahead must not make the others wait. Each process then counts what it has handed out itself,
so that even among wrong clocks none exceeds the rate alone.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from orderstream_consumer.processing.backoff import Backoff
from orderstream_consumer.processing.log_throttle import LogThrottle
from orderstream_consumer.store import ConditionFailedError, ContentionError, Put, Store, TableSpec

logger = logging.getLogger(__name__)

RATE_LIMITS: Final = TableSpec("rate-limits")
"""Key: the limit's name. Attribute tat: the theoretical arrival time, in microseconds since the epoch."""

_MICROS: Final = 1_000_000
_TRIES: Final = 10

_APART: Final = _MICROS
"""Microseconds that two hosts' clocks are allowed to be apart."""

_CONTENTION: Final = Backoff(first=0.01, longest=5.12, least=0.0)
_WARNING_EVERY: Final = 60.0


@dataclass(frozen=True, slots=True)
class Permits:
    """What was handed out.

    Attributes:
        granted: How many calls may be made now.
        wait: Seconds until at least one more would be granted; 0 if any was.
    """

    granted: int
    wait: float


class RateLimiter(Protocol):
    """Hands out permits for calls."""

    def take(self, wanted: int) -> Permits:
        """Ask for permits.

        Args:
            wanted: How many calls one would like to make, at least 1.

        Raises:
            DependencyError: the store could not be reached; nothing was granted.
        """


def gcra(tat: int, now: int, wanted: int, interval: int, burst: int) -> tuple[int, Permits]:
    """Decide how many permits to hand out.

    Args:
        tat: Theoretical arrival time of the next permit, in microseconds.
        now: The time, in microseconds.
        wanted: Permits asked for.
        interval: Microseconds between two permits at the limit.
        burst: Permits that may be handed out at once after a pause, at least 1.

    Returns:
        The new theoretical arrival time, and the permits.
    """
    base = max(tat, now)
    # A permit is due as soon as its arrival time is no more than burst - 1 intervals ahead of now.
    room = now + (burst - 1) * interval - base
    granted = min(wanted, room // interval + 1) if room >= 0 else 0
    if granted == 0:
        return tat, Permits(0, -room / _MICROS)
    return base + granted * interval, Permits(granted, 0.0)


class StoredRateLimiter:
    """A limit that lives in one item, shared by every process that names it.

    Args:
        store: Where the item is.
        name: The limit's name.
        rate: Permits per second, over all processes; above 0.
        burst: Permits that may be handed out at once after a pause, at least 1.
        now: Seconds since the epoch.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        name: str,
        rate: float,
        burst: int = 1,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._name = name
        # Rounded up: a limit is never exceeded for the sake of a round number.
        self._interval = -int(-_MICROS // rate)
        self._burst = burst
        self._now = now
        self._sleep = sleep
        self._own = 0
        self._warnings = LogThrottle(_WARNING_EVERY)

    def take(self, wanted: int) -> Permits:
        """See ``RateLimiter.take``."""
        for attempt in range(_TRIES):
            item = self._store.get(RATE_LIMITS.name, self._name)
            tat = item.value("tat", int) if item else 0
            now = int(self._now() * _MICROS)
            known = max(self._trusted(tat, now), self._trusted(self._own, now))
            new_tat, permits = gcra(known, now, wanted, self._interval, self._burst)
            if permits.granted == 0:
                return permits
            put = Put(RATE_LIMITS.name, self._name, {"tat": new_tat}, item.version if item else None)
            try:
                self._store.transact([put])
            except (ConditionFailedError, ContentionError):
                self._sleep(_CONTENTION.pause(attempt, random.random()))  # noqa: S311 - jitter
                continue
            self._own = new_tat
            return permits
        raise ContentionError("PutItem")

    def _trusted(self, tat: int, now: int) -> int:
        """A stored time, or the beginning of time where no right clock can have stored it."""
        if tat <= now + self._burst * self._interval + _APART:
            return tat
        if self._warnings.is_due(now / _MICROS):
            logger.warning(
                "the stored time of a rate limit is %.0f s ahead and distrusted: see the hosts' clocks",
                (tat - now) / _MICROS,
                extra={"limit": self._name},
            )
        return 0
