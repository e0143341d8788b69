"""Whether payments are being settled: what a payment worker has done last, for its health page."""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_TRIED_WITHIN: Final = dt.timedelta(seconds=60)
"""A payment that waits is tried more often than this: if none was, another worker has settled it."""


@dataclass(frozen=True, slots=True)
class PaymentStanding:
    """The state of a payment worker.

    Attributes:
        last_round: When the queue was last read, or when the worker was made (UTC).
        unsettled_since: Since when payments are handed back and none is settled (UTC); None if all is well.
        failure: Why a payment was last handed back, or the queue not read; None once one was settled since.
    """

    last_round: dt.datetime
    unsettled_since: dt.datetime | None
    failure: str | None


class StandingKeeper:
    """Records the result of each attempt, from any thread.

    Args:
        clock: The time (UTC).
    """

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_round = clock()
        self._unsettled_since: dt.datetime | None = None
        self._postponed_at: dt.datetime | None = None
        self._failure: str | None = None

    def round_done(self) -> None:
        """The queue was read."""
        with self._lock:
            self._last_round = self._clock()

    def round_failed(self, reason: str) -> None:
        """The queue, or the permits, could not be had."""
        with self._lock:
            self._failure = reason

    def settled(self) -> None:
        """A payment was settled."""
        with self._lock:
            self._unsettled_since = self._postponed_at = self._failure = None

    def postponed(self, reason: str) -> None:
        """A payment got no definite response and waits."""
        with self._lock:
            self._postponed_at = self._clock()
            self._unsettled_since = self._unsettled_since or self._postponed_at
            self._failure = reason

    def standing(self) -> PaymentStanding:
        """The worker's present state."""
        with self._lock:
            given_up = self._postponed_at is None or self._clock() - self._postponed_at > _TRIED_WITHIN
            return PaymentStanding(
                self._last_round, None if given_up else self._unsettled_since, self._failure
            )
