"""A rate limit that all containers share: GCRA on one item of the store.

The generic cell rate algorithm (ITU-T I.371) keeps one number, the theoretical arrival time: when the next
permit would be due if permits were handed out evenly. It needs no counters per window and no refill.

Containers compare their own clocks with the stored time; hosts with NTP are within milliseconds of it. One
that is behind another by less than a second waits as much longer for its permits. A time that no right clock
can have stored (further ahead than a whole burst and a second) is distrusted: one host
whose clock runs ahead must not make the others wait. Each process then counts what it has handed out itself,
so that even among wrong clocks none exceeds the rate alone.

A limit of calls at the same time lives in the same item: a slot is taken with its permit, in one write, so
that it costs no write of its own. See ``slots``.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from orderstream_consumer.limits.shared_slots import SharedSlots
from orderstream_consumer.processing.backoff import Backoff
from orderstream_consumer.processing.log_throttle import LogThrottle
from orderstream_consumer.store import Attribute, ConditionFailedError, ContentionError, Put, Store, TableSpec

logger = logging.getLogger(__name__)

RATE_LIMITS: Final = TableSpec("rate-limits")
"""Key: the limit's name. Attributes: tat, the theoretical arrival time, in microseconds since the epoch;
holders, where calls at the same time are limited: by holder, its slots and its beat."""

_MICROS: Final = 1_000_000
_TRIES: Final = 10

_APART: Final = _MICROS
"""Microseconds that two hosts' clocks are allowed to be apart."""

_CONTENTION: Final = Backoff(first=0.01, longest=5.12, least=0.0)
_WARNING_EVERY: Final = 60.0

_LOOK_AGAIN: Final = 0.25
"""Seconds after which one who found no slot looks again: nobody can say when one is given back."""


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
            wanted: How many calls one would like to make; 0 only renews the slots that one has.

        Raises:
            DependencyError: the store could not be reached; nothing was granted.
        """


def gcra(tat: int, now: int, wanted: int, interval: int, burst: int) -> tuple[int, Permits]:
    """Decide how many permits to hand out.

    Args:
        tat: Theoretical arrival time of the next permit, in microseconds.
        now: The time, in microseconds.
        wanted: Permits asked for, 0 or more.
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
        return tat, Permits(0, max(0.0, -room / _MICROS))
    return base + granted * interval, Permits(granted, 0.0)


class StoredRateLimiter:
    """A limit that lives in one item, shared by every process that names it.

    Args:
        store: Where the item is.
        name: The limit's name.
        rate: Permits per second, over all processes; above 0.
        burst: Permits that may be handed out at once after a pause, at least 1.
        slots: Bounds calls at the same time: a slot is taken with each permit, and given back through it by
            the caller that has used the permit or leaves it. None if only the rate is limited.
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
        slots: SharedSlots | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._name = name
        # Rounded up: a limit is never exceeded for the sake of a round number.
        self._interval = -int(-_MICROS // rate)
        self._burst = burst
        self._slots = slots
        self._taking = threading.Lock()
        self._now = now
        self._sleep = sleep
        self._own = 0
        self._warnings = LogThrottle(_WARNING_EVERY)

    def take(self, wanted: int) -> Permits:
        """See ``RateLimiter.take``."""
        # One at a time: what a thread has written is not yet among the slots that the next would count.
        with self._taking:
            return self._take(wanted)

    def _take(self, wanted: int) -> Permits:
        for attempt in range(_TRIES):
            item = self._store.get(RATE_LIMITS.name, self._name)
            plan = self._slots.plan(item) if self._slots else None
            room = wanted if plan is None else min(wanted, plan.room)
            tat = item.value("tat", int) if item else 0
            now = int(self._now() * _MICROS)
            known = max(self._trusted(tat, now), self._trusted(self._own, now))
            new_tat, permits = gcra(known, now, room, self._interval, self._burst)
            if room < min(wanted, 1):
                permits = Permits(0, max(permits.wait, _LOOK_AGAIN))
            if permits.granted == 0 and (plan is None or plan.lost or (wanted and not plan.due)):
                return permits
            attributes: dict[str, Attribute] = {"tat": new_tat}
            began = 0.0
            if self._slots and plan:
                began = self._slots.now()
                attributes |= self._slots.attributes(plan, permits.granted)
            put = Put(RATE_LIMITS.name, self._name, attributes, item.version if item else None)
            try:
                self._store.transact([put])
            except (ConditionFailedError, ContentionError):
                self._sleep(_CONTENTION.pause(attempt, random.random()))  # noqa: S311 - jitter
                continue
            self._own = new_tat
            if self._slots:
                self._slots.written(permits.granted, began)
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
