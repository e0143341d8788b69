"""What an engine hands to a processor, made by hand."""

import datetime as dt

from orderstream_consumer.processing.record import DeliveredRecord, Position

ARRIVAL = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def record_of(key: str, sequence_number: int, data: bytes = b"") -> DeliveredRecord:
    return DeliveredRecord(
        shard_id="shardId-000000000000",
        position=Position(sequence_number),
        partition_key=key,
        data=data or f"{key}{sequence_number}".encode(),
        approximate_arrival=ARRIVAL,
    )


class RecordingCheckpointer:
    """Remembers every checkpoint; raises what it is told to, once each."""

    def __init__(self, *failures: Exception) -> None:
        self.positions: list[Position | None] = []
        self.lost: Exception | None = None
        self.confirmations = 0
        self._failures = list(failures)

    def checkpoint(self, position: Position | None = None) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.positions.append(position)

    def confirm_lease(self) -> None:
        self.confirmations += 1
        if self.lost:
            raise self.lost
