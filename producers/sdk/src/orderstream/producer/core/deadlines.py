"""When the deadlines of records end."""

from math import inf

# A record may outlive its deadline by one part in this many.
_STEPS = 100


class Deadlines:
    """The next moment at which some record may be at its end.

    Args:
        timeout: How long after its put a record may be sent again, in seconds; None forever.

    Attributes:
        next: That moment, in seconds; infinity if there is none.
    """

    __slots__ = ("_timeout", "next")

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self.next = inf

    def expect(self, put_at: float) -> None:
        """A record that was put then may have to be given up."""
        if self._timeout is not None:
            self.next = min(self.next, put_at + self._timeout)

    def put_before(self, now: float) -> float | None:
        """Return until when records were put that are at their end now; None while no look is due."""
        return None if self._timeout is None or now < self.next else now - self._timeout

    def looked(self, now: float, oldest_put: float) -> None:
        """All that was at its end is given up, and this is the oldest that is left."""
        assert self._timeout is not None
        # Where records keep coming to their end, not each of them is worth a look at all the others.
        self.next = max(oldest_put + self._timeout, now + self._timeout / _STEPS)
