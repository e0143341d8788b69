"""How long to wait after a failure: twice as long each time, up to a bound, with jitter."""

from dataclasses import dataclass
from typing import Final

_DOUBLINGS: Final = 30
"""More of them make a number that is too large to wait for."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff.

    Attributes:
        first: Seconds after the first failure at most, above 0.
        longest: Seconds at most, however many failures there were.
        least: The share of these seconds, from 0 to 1, that is waited in any case; the rest is jitter. 0 is
            full jitter: those who failed together come back at any time, some at once.
    """

    first: float
    longest: float
    least: float = 0.5

    def pause(self, earlier: int, draw: float) -> float:
        """Seconds to wait.

        Args:
            earlier: Failures in a row before the last one, at least 0.
            draw: A random number in [0, 1).
        """
        most = min(self.longest, self.first * 2.0 ** min(earlier, _DOUBLINGS))
        return most * (self.least + (1 - self.least) * draw)
