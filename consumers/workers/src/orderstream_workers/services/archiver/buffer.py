"""The records that the next object will hold, and when it is time to write it. Pure."""

from dataclasses import dataclass

from orderstream_consumer.processing.record import DeliveredRecord, Position


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveConfig:
    """When an object is written: as soon as one of the bounds is reached.

    Attributes:
        max_records: Records, at least 1.
        max_bytes: Bytes of their data, uncompressed, at least 1; the last record may exceed it.
        max_seconds: Seconds since the first of them came, above 0. A crash reads that much again.
    """

    max_records: int = 1_000
    max_bytes: int = 4 * 1024 * 1024
    max_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("max_records", "max_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.max_seconds <= 0:
            raise ValueError(f"max_seconds must be above 0, not {self.max_seconds}")


class Buffer:
    """Collects the records of one shard, in order.

    Args:
        config: When it is time to write.
    """

    def __init__(self, config: ArchiveConfig) -> None:
        self._config = config
        self.records: list[DeliveredRecord] = []
        self._bytes = 0
        self._since = 0.0

    def add(self, record: DeliveredRecord, now: float) -> None:
        """Take a record.

        Args:
            record: The record, behind all that are here.
            now: Monotonic seconds.
        """
        if not self.records:
            self._since = now
        self.records.append(record)
        self._bytes += len(record.data)

    def is_full(self) -> bool:
        """True once it holds as many records or bytes as an object should."""
        return len(self.records) >= self._config.max_records or self._bytes >= self._config.max_bytes

    def is_due(self, now: float) -> bool:
        """True once its first record has waited long enough."""
        return bool(self.records) and now - self._since >= self._config.max_seconds

    def drop(self, position: Position) -> None:
        """Forget everything up to and including a position."""
        self.records = [record for record in self.records if record.position > position]
        self._bytes = sum(len(record.data) for record in self.records)

    def clear(self) -> None:
        """Forget everything."""
        self.records = []
        self._bytes = 0
