"""The provider's own limit: strict counting over any second."""

from collections import deque

_WINDOW = 1.0


class RequestWindow:
    """Lets no more than so many requests pass within any second.

    It remembers when each passed, not how many passed in a fixed second: two bursts around the turn of a
    second are one burst.

    Args:
        limit: Requests within any second, at least 1.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._passed: deque[float] = deque(maxlen=limit)

    def wait(self, now: float) -> float:
        """Count a request that arrives now.

        Args:
            now: Seconds on a monotonic clock.

        Returns:
            0 if it may pass, else the seconds until one may.
        """
        if len(self._passed) == self._limit and (free := self._passed[0] + _WINDOW - now) > 0:
            return free
        self._passed.append(now)
        return 0.0
