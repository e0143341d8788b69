"""The provider's own limits: strict counting over any second, and of what is under way."""

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


class UnderWay:
    """Counts the requests that the provider is working on, whether their callers still wait or not.

    Args:
        limit: Most at the same time; 0 sets no bound.

    Attributes:
        most: The most that were under way at the same time.
        crowded: How many came while ``limit`` were.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._now = 0
        self.most = self.crowded = 0

    def begin(self) -> bool:
        """Take a request up; False if it is one too many, which is not worked on."""
        if self._limit and self._now >= self._limit:
            self.crowded += 1
            return False
        self._now += 1
        self.most = max(self.most, self._now)
        return True

    def end(self) -> None:
        """Be done with a request that was taken up."""
        self._now -= 1
