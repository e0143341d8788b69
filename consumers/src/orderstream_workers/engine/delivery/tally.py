"""What delivery has done so far, for metrics and for ``/health``."""

import threading
from collections import Counter


class DeliveryTally:
    """Counts events by name, from any thread: ``handled``, ``retried``, ``parked``, ``abandoned``.

    ``overtook`` counts the tries of records that do not wait behind parked ones. A service counts beside
    them what it meets and cannot use, such as ``unknown_type``.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, event: str) -> None:
        """Count one event."""
        with self._lock:
            self._counts[event] += 1

    def figures(self) -> dict[str, int]:
        """The counts so far."""
        with self._lock:
            return dict(self._counts)
