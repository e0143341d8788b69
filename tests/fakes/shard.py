"""What a processor of one shard is surrounded by, with a clock that only waiting moves."""

import datetime as dt
from collections.abc import Sequence

from fakes.engine import ARRIVAL
from orderstream_consumer.processing.processor import Checkpointer, ProcessRecordsInput
from orderstream_consumer.processing.record import DeliveredRecord, Position


class SimulatedStop:
    """A stop signal whose ``wait`` moves the clock; may set itself after so many waits."""

    def __init__(self, after_waits: int | None = None) -> None:
        self.now = 0.0
        self.set = False
        self._left = after_waits

    def clock(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return self.set

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now += timeout
        if self._left is not None:
            self._left -= 1
            self.set = self.set or self._left <= 0
        return self.set


def delivered(
    sequence: int, data: bytes, *, sub: int = 0, shard: str = "shardId-000000000000", key: str = "k"
) -> DeliveredRecord:
    return DeliveredRecord(
        shard_id=shard,
        position=Position(sequence, sub),
        partition_key=key,
        data=data,
        approximate_arrival=ARRIVAL + dt.timedelta(milliseconds=sequence % 1_000_000),
    )


def batch_of(records: Sequence[DeliveredRecord], checkpointer: Checkpointer) -> ProcessRecordsInput:
    return ProcessRecordsInput(records, checkpointer, 0)
