"""What a service implements to receive records."""

from typing import Protocol

from orderstream_workers.engine.record import DeliveredRecord


class RecordHandler(Protocol):
    """Carries out what one record asks for. Called from many threads, never twice at once for one key."""

    def handle(self, record: DeliveredRecord) -> None:
        """Carry out a record. Returns once its effects are committed and its messages acknowledged.

        Raises:
            DependencyError: something we depend on fails; the same record is tried again, for ever.
            Exception: the record itself cannot be carried out; it is parked, and its key's followers too.
        """
