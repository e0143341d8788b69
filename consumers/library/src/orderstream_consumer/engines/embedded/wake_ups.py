"""When to look at which shard again, without looking at all of them: a heap that may ring too early."""

import heapq
import math
from collections.abc import Hashable
from itertools import count
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)


class WakeUps(Generic[_K]):
    """Keeps the next wake-up of each sleeper.

    A sleeper's moment may move later without a word (a renewal moves the expiry of a lease): it is due at the
    old one; the caller then looks, and notes the new one. What moves earlier has to be noted.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _K]] = []
        self._noted: dict[_K, float] = {}
        self._order = count()

    def note(self, sleeper: _K, moment: float) -> None:
        """Wake a sleeper at a moment at the latest; infinity means not by itself."""
        if moment < self._noted.get(sleeper, math.inf):
            self._noted[sleeper] = moment
            heapq.heappush(self._heap, (moment, next(self._order), sleeper))

    def forget(self, sleeper: _K) -> None:
        """Wake it no more."""
        self._noted.pop(sleeper, None)

    def first(self) -> float:
        """The moment of the first wake-up; infinity if there is none."""
        while self._heap and self._is_stale():
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def due(self, now: float) -> list[_K]:
        """Take the sleepers that are to be woken by now; what each is to wake for next has to be noted."""
        woken: list[_K] = []
        while self.first() <= now:
            _, _, sleeper = heapq.heappop(self._heap)
            del self._noted[sleeper]
            woken.append(sleeper)
        return woken

    def _is_stale(self) -> bool:
        moment, _, sleeper = self._heap[0]
        return self._noted.get(sleeper) != moment
