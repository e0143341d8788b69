"""How many requests a caller may make: a token bucket for each, full at first and refilled steadily."""

from collections import OrderedDict
from typing import Final

MOST_CALLERS: Final = 10_000
"""Buckets that are remembered; the least recently used is forgotten first, and is full again."""


class Allowances:
    """The buckets of all callers. It belongs to one thread.

    Args:
        per_second: Requests that a caller may make each second for good; 0 sets no bound.
        burst: Requests that it may make at once, at least 1.
        most_callers: Buckets that are remembered, at least 1.
    """

    def __init__(self, per_second: float, burst: float, most_callers: int = MOST_CALLERS) -> None:
        self._per_second = per_second
        self._burst = max(1.0, burst)
        self._most_callers = most_callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, now: float) -> float:
        """Take one request from a caller's bucket.

        Args:
            caller: Whose.
            now: Seconds of a clock that never goes back.

        Returns:
            0 if it was there; else, with nothing taken, the seconds until it will be.
        """
        if not self._per_second:
            return 0.0
        left, at = self._buckets.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        granted = left >= 1.0
        self._buckets[caller] = (left - 1.0 if granted else left, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > self._most_callers:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1.0 - left) / self._per_second
