"""What a payment worker has seen, for its health page and for summaries."""

import threading
from collections import Counter
from typing import Literal

from orderstream.observability.metrics import Meter, NoMeter
from orderstream_workers.services.payments.metrics import COUNTED

Count = Literal["calls", "throttled", "unavailable", "settled", "postponed", "failed"]


class PaymentCounters:
    """Counts since the start of the process. Safe to use from many threads.

    ``calls``: requests to the provider; ``throttled``: those it refused with 429; ``unavailable``: those
    with no definite response, throttled ones included; ``settled``: messages brought to rest; ``postponed``:
    messages handed back for later; ``failed``: messages left to their receives by an unexpected error.

    Args:
        meter: Takes them, too.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or NoMeter()
        self._counts: Counter[Count] = Counter()
        self._lock = threading.Lock()

    def add(self, name: Count) -> None:
        """Count one."""
        with self._lock:
            self._counts[name] += 1
        self._meter.record(COUNTED[name])

    def snapshot(self) -> dict[str, int]:
        """All counts as they are now."""
        names: tuple[Count, ...] = ("calls", "throttled", "unavailable", "settled", "postponed", "failed")
        with self._lock:
            return {name: self._counts[name] for name in names}
