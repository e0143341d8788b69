"""One shard: a range of hash keys, its parents, and records in the order they came."""

from array import array
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from orderstream.kinesis.shard import HashRange
from orderstream.testing.state.limits import ShardBudget
from orderstream.testing.state.sequence import sequence_number


class StoredRecord(NamedTuple):
    """A record as a shard holds it.

    Attributes:
        position: Its number in the stream, the one that its sequence number is made of.
        arrived_at: Arrival, in seconds since the epoch.
        data: The payload.
        partition_key: The partition key; empty if the producer gave none, where it may.
        generation: The stream's, which is part of its sequence number.
    """

    position: int
    arrived_at: float
    data: bytes
    partition_key: str
    generation: int

    @property
    def sequence_number(self) -> str:
        """The sequence number, as Kinesis writes it."""
        return sequence_number(self.generation, self.position)


class StoredShard:
    """One shard of a stream, with its records.

    Positions and arrivals never decrease, so every look-up is a binary search and a read at the tip costs the
    same whatever the shard holds.

    Args:
        number: Its number in the stream, which makes its id.
        hash_range: The hash keys it takes.
        parents: Ids of the shards it came from.
        opened_at: When it was opened, in seconds since the epoch.
        opened_position: The stream's position then; all its records have later ones.
        budget: Its limits per second.
        generation: The stream's generation.

    Attributes:
        closed_at: When it was closed by a split or merge; None while it is open.
        closed_position: The stream's position then.
        children: The shards that go on from here.
    """

    def __init__(
        self,
        *,
        number: int,
        hash_range: HashRange,
        parents: tuple[str, ...],
        opened_at: float,
        opened_position: int,
        budget: ShardBudget,
        generation: int,
    ) -> None:
        self.number = number
        self.shard_id = f"shardId-{number:012d}"
        self.hash_range = hash_range
        self.parents = parents
        self.opened_at = opened_at
        self.opened_position = opened_position
        self.budget = budget
        self.generation = generation
        self.closed_at: float | None = None
        self.closed_position: int | None = None
        self.children: list[StoredShard] = []
        self._positions = array("Q")
        self._arrivals = array("d")
        self._bodies: list[tuple[bytes, str]] = []
        self._first = 0  # everything before it is past retention

    def __len__(self) -> int:
        return len(self._bodies) - self._first

    @property
    def is_open(self) -> bool:
        """Whether it still takes records."""
        return self.closed_at is None

    def sequence_number(self, position: int) -> str:
        """A position of its stream as a sequence number."""
        return sequence_number(self.generation, position)

    def was_open_at(self, at: float) -> bool:
        """Whether it took records at a time. A child's time begins where its parent's ends."""
        return self.opened_at <= at and (self.closed_at is None or at < self.closed_at)

    def append(self, position: int, now: float, data: bytes, partition_key: str) -> None:
        """Take a record. Should the clock step back, the arrival time does not."""
        arrivals = self._arrivals
        arrivals.append(max(now, arrivals[-1]) if arrivals else now)
        self._positions.append(position)
        self._bodies.append((data, partition_key))

    def close(self, position: int, now: float) -> None:
        """Take no more records."""
        self.closed_position = position
        self.closed_at = now

    def trim(self, horizon: float) -> None:
        """Forget what arrived at or before a time."""
        if len(self) == 0 or self._arrivals[self._first] > horizon:
            return
        self._first = bisect_right(self._arrivals, horizon, self._first)
        # Moving the rest costs as much as was trimmed at least, so trimming stays cheap per record.
        if self._first * 2 >= len(self._bodies):
            del self._positions[: self._first]
            del self._arrivals[: self._first]
            del self._bodies[: self._first]
            self._first = 0

    def read(self, position: int, max_records: int, max_bytes: int) -> list[StoredRecord]:
        """Return the records from a position on, up to a number and a size; at least one if there is any."""
        start = bisect_left(self._positions, position, self._first)
        stop = min(start + max_records, len(self._bodies))
        records: list[StoredRecord] = []
        size = 0
        for index in range(start, stop):
            data, partition_key = self._bodies[index]
            size += len(data) + len(partition_key)
            if size > max_bytes and records:
                break
            records.append(
                StoredRecord(
                    self._positions[index], self._arrivals[index], data, partition_key, self.generation
                )
            )
        return records

    def position_at(self, at: float) -> int | None:
        """Return the position of the first record that arrived at or after a time; None if there is none."""
        index = bisect_left(self._arrivals, at, self._first)
        return self._positions[index] if index < len(self._positions) else None

    def next_arrival(self, position: int) -> float | None:
        """Return when the first record from a position on arrived; None if there is none."""
        index = bisect_left(self._positions, position, self._first)
        return self._arrivals[index] if index < len(self._arrivals) else None
