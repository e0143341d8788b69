"""One PutRecords request in the making."""

from orderstream.producer.core.kinesis_record import KinesisRecord


class Collector:
    """Fills a PutRecords request up to its limits.

    Args:
        max_records: Entries the request may have.
        max_bytes: Data and partition keys it may carry, in bytes.

    Attributes:
        entries: What it carries so far.
        room: What it can still take, in bytes.
    """

    __slots__ = ("_max_records", "entries", "room")

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self.entries: list[KinesisRecord] = []
        self.room = max_bytes

    def takes(self, size: int) -> bool:
        """Whether one more entry of this many bytes fits; one that is larger than all the room goes alone."""
        return not self.entries or (len(self.entries) < self._max_records and size <= self.room)

    def add(self, record: KinesisRecord) -> None:
        """Add an entry."""
        self.entries.append(record)
        self.room -= record.size
