r"""When to read the shard map.

::

              wanted                    failed, or left the question open
     +------+ ------> +---------+ ----------------------> +---------+
     | idle |         | reading |                         | waiting |
     +------+ <------ +---------+ <---------------------- +---------+
              loaded                    the delay is over

Only one listing is under way at a time.
"""

from orderstream.producer.core.retrier import RetryPolicy


class Refresher:
    """Decides when ListShards is due.

    Args:
        policy: How long to wait after a failure.

    Attributes:
        reading: Whether a listing is under way.
        not_before: When the next one may start, in seconds.
    """

    __slots__ = ("_failures", "_policy", "not_before", "reading")

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self.reading = False
        self.not_before = 0.0

    def start(self, now: float) -> bool:
        """Start a listing if none is under way and the delay is over; return whether it was started."""
        if self.reading or now < self.not_before:
            return False
        self.reading = True
        return True

    def responded(self, now: float, *, satisfied: bool) -> None:
        """A listing came back.

        Args:
            now: The time, in seconds.
            satisfied: Whether it decides the question; if not, the next one has to wait.
        """
        self.reading = False
        self._failures = 0 if satisfied else self._failures + 1
        self.not_before = now if satisfied else now + self._policy.delay(self._failures)
