"""A warning that many callers would repeat is logged now and then."""

import math
import threading


class LogThrottle:
    """Says whether a line is due. Safe to use from many threads.

    Args:
        every: Seconds of the caller's clock between two lines, above 0.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._logged_at = -math.inf
        self._lock = threading.Lock()

    @property
    def logged(self) -> bool:
        """Whether a line was due since the last ``reset``."""
        return self._logged_at > -math.inf

    def is_due(self, now: float) -> bool:
        """Whether to log a line now; if so, the next one is due a while later.

        Args:
            now: Seconds of any clock. A clock that was set by more than the interval makes a line due.
        """
        with self._lock:
            if abs(now - self._logged_at) < self._every:
                return False
            self._logged_at = now
            return True

    def reset(self) -> None:
        """Make the next line due at once: what it warned of is over."""
        with self._lock:
            self._logged_at = -math.inf
