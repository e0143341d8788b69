"""What tests of the orders API use instead of DynamoDB."""

import threading

from orderstream_orders.api.idempotency import Accepted, check_order_id


class MemoryIdempotencyStore:
    """Remembers until the process ends: for tests and for trying things out."""

    def __init__(self) -> None:
        self._accepted: dict[str, Accepted] = {}
        self._lock = threading.Lock()

    def put_if_absent(self, order_id: str, accepted: Accepted) -> Accepted:
        """See ``IdempotencyStore.put_if_absent``."""
        check_order_id(order_id)
        with self._lock:
            return self._accepted.setdefault(order_id, accepted)

    def get(self, order_id: str) -> Accepted | None:
        """See ``IdempotencyStore.get``."""
        return self._accepted.get(order_id)
