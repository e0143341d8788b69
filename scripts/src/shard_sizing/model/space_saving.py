"""Space-Saving: the heaviest keys of a stream in fixed memory (Metwally, Agrawal and El Abbadi, 2005)."""

import heapq
from collections.abc import Iterable


class SpaceSaving:
    """Counts at most ``capacity`` keys; a newcomer takes the place, and the count, of the lightest.

    A count is never too low, and too high by at most the total weight divided by the capacity.

    Args:
        capacity: Counters held; 256 finds the top 20 of a skewed stream with room to spare.
    """

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._counts: dict[str, float] = {}
        self._errors: dict[str, float] = {}
        self._lightest: list[tuple[float, str]] = []

    def add(self, weights: Iterable[tuple[str, float]]) -> None:
        """Add keys with their weights, e.g. the sums of a batch."""
        for key, weight in weights:
            if key in self._counts:
                self._counts[key] += weight
                continue
            floor = self._evict() if len(self._counts) >= self._capacity else 0.0
            self._counts[key] = floor + weight
            self._errors[key] = floor
            heapq.heappush(self._lightest, (floor + weight, key))

    def _evict(self) -> float:
        # Heap entries may be stale, always too light: refresh the top until it is true.
        while True:
            count, key = self._lightest[0]
            true = self._counts[key]
            if true == count:
                heapq.heappop(self._lightest)
                del self._counts[key], self._errors[key]
                return count
            heapq.heapreplace(self._lightest, (true, key))

    def top(self, n: int) -> list[tuple[str, float, float]]:
        """Return the ``n`` heaviest as (key, count, by how much the count may be too high)."""
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return [(key, count, self._errors[key]) for key, count in ranked[:n]]
