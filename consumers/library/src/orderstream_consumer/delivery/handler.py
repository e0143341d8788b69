"""What a service implements to receive records."""

from collections.abc import Callable
from typing import Protocol

from orderstream_consumer.processing.record import DeliveredRecord

Overtakes = Callable[[DeliveredRecord], bool]
"""True for a record that is handled although earlier ones of its key are parked. Never raises.

Safe only for what is final whichever of the two comes first, as compensations are: once one was carried out,
its forward command is refused, however late it is redriven.
"""


def never_overtakes(_: DeliveredRecord) -> bool:
    """Whatever is parked holds back all that follows on its key."""
    return False


class RecordHandler(Protocol):
    """Carries out what one record asks for. Called from many threads, never twice at once for one key."""

    def handle(self, record: DeliveredRecord) -> None:
        """Carry out a record. Returns once its effects are committed and its messages acknowledged.

        Raises:
            DependencyError: something we depend on fails; the same record is tried again, forever.
            Exception: the record itself cannot be carried out; it is parked, and its key's followers too.
        """
