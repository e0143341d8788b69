"""What another service has taken over while our own table does not say so yet."""

from collections.abc import Callable


class Acceptances:
    """Avoids a second notification while only the write that records the first one fails.

    Mail and topics know no idempotency key, and a delivery is handled again until its record is written. So a
    table that is read but not written for an hour would send the same mail every few seconds. This process
    remembers what was accepted; only its end forgets it. At most as many deliveries are remembered as were
    being handled when shards were lost.

    Safe to use from many threads, one delivery at a time on one of them.
    """

    def __init__(self) -> None:
        self._accepted: set[tuple[str, str]] = set()

    def perform(self, event_id: str, record_id: str, effect: Callable[[], None]) -> None:
        """Have the effect of a delivery, unless it was accepted before.

        Args:
            event_id: The delivered event's.
            record_id: The record that it was read from.
            effect: Raises unless it was accepted.
        """
        if (event_id, record_id) not in self._accepted:
            effect()
            self._accepted.add((event_id, record_id))

    def recorded(self, event_id: str, record_id: str) -> None:
        """Forget a delivery: the table remembers it."""
        self._accepted.discard((event_id, record_id))
