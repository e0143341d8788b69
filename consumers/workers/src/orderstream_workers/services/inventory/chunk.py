"""How many lines one transaction moves: fewer while others want the same stock, then more again."""

from dataclasses import dataclass, replace
from typing import Final

from orderstream_consumer.processing.backoff import Backoff

MAX_CHUNK: Final = 25
"""Lines in one transaction. DynamoDB takes 100 items; but the more of them others want as well, the likelier
the whole is cancelled: with one SKU in every eighth order, large transactions starve."""

MAX_CONFLICTS: Final = 10
"""Conflicts in a row before the caller gets an error: five from 25 lines down to one, and as many there."""

_DELAYS: Final = Backoff(first=0.005, longest=0.2, least=0.0)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The size of the next transaction, and how long to wait before it.

    Attributes:
        size: Lines, 1 to ``limit``.
        limit: The most it grows to, 1 to 98 (DynamoDB's 100 items, less the header and the lines).
        conflicts: Conflicts in a row so far.
    """

    size: int = MAX_CHUNK
    limit: int = MAX_CHUNK
    conflicts: int = 0

    def after_commit(self) -> "Chunk":
        """Grown again: twice the size, no conflict."""
        return replace(self, size=min(self.limit, self.size * 2), conflicts=0)

    def after_conflict(self) -> "Chunk":
        """Halved, down to one line."""
        return replace(self, size=max(1, self.size // 2), conflicts=self.conflicts + 1)

    @property
    def exhausted(self) -> bool:
        """True once conflicts in a row are a fault of their own."""
        return self.conflicts >= MAX_CONFLICTS

    def delay(self, draw: float) -> float:
        """Seconds to wait after the last conflict: exponential with full jitter, 0.2 s at most.

        Args:
            draw: A random number in [0, 1).
        """
        return _DELAYS.pause(self.conflicts, draw)
