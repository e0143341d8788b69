r"""Holds back work while a dependency fails, and lets single tries through to find out when it is back.

::

                  a try fails                        the pause is over: one try goes through
    CLOSED ─────────────────────────> OPEN (pause) ─────────────────────────> HALF OPEN
       ^                                ^                                       |    |
       |                                └───────── it fails, longer pause ──────┘    |
       └────────────────────────────────────── it succeeds ──────────────────────────┘

Without it every lane of every shard would hammer what is down, each with a backoff of its own.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from orderstream_consumer.processing.backoff import Backoff

_PAUSES: Final = Backoff(first=0.2, longest=5.0)


class Breaker:
    """Shared by all lanes of a process. Thread-safe.

    Args:
        clock: Monotonic seconds.
        jitter: Gives a number in [0, 1).
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def pause(self) -> float:
        """Seconds to wait before the next try; 0 means try now.

        While the breaker is open, the caller that gets 0 is the one that tries: the others get the wait for
        its outcome.
        """
        with self._lock:
            if self._failures == 0:
                return 0.0
            now = self._clock()
            if now < self._open_until:
                return self._open_until - now
            self._open_until = now + self._length()
            return 0.0

    @property
    def is_open(self) -> bool:
        """Whether tries are held back, or one is on its way to find out."""
        with self._lock:
            return self._failures > 0

    def succeeded(self) -> None:
        """An attempt succeeded: all callers may go on."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """A try failed because of a dependency."""
        with self._lock:
            self._failures += 1
            self._open_until = self._clock() + self._length()

    def _length(self) -> float:
        return _PAUSES.pause(self._failures - 1, self._jitter())
