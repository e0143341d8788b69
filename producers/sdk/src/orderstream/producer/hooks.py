"""Hooks for the application between ``put`` and the stream."""

from collections.abc import Callable
from typing import Protocol

from orderstream.aggregation.user_record import UserRecord
from orderstream.producer.delivery import Delivery

Partitioner = Callable[[UserRecord], int | None]
"""Chooses a record's explicit hash key, 0 to 2**128 - 1, or None for the hash of its partition key.

It is asked for records that were put without one, in the thread that puts. The same partition key must always
lead to the same hash key, or the key's records lose their order.
"""


class Interceptor(Protocol):
    """Sees every record on its way in, and every outcome."""

    def on_put(self, record: UserRecord) -> UserRecord:
        """Return the record to put in this one's stead, or the same; runs in the thread that puts.

        What it raises, ``put`` raises.
        """

    def on_outcome(self, delivery: Delivery) -> None:
        """Learn what became of a record; runs in the producer's own thread, so it must be quick.

        What it raises is logged.
        """
