r"""One stream: its shards, their lineage, and the one counter that orders everything in it.

::

                  ready                 split, merge, scale
    CREATING ------------> ACTIVE <-------------------------> UPDATING
                             |              ready
                             | delete
                             v      ready
                          DELETING --------> gone

With a transition time of 0 the states between are passed at once.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum

from orderstream.testing.errors import invalid_argument
from orderstream.testing.limits import Limits, ShardBudget
from orderstream.testing.resharding import HashRange, Merge, Split, plan_uniform_scaling, uniform_ranges
from orderstream.testing.shard import Shard

_SHARD_DIGITS = 10
_POSITION_DIGITS = 21


class StreamStatus(StrEnum):
    """The states of a stream."""

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    DELETING = "DELETING"


class Stream:
    """One stream.

    A sequence number has 56 digits, as AWS's have: ``49``, the stream's creation in microseconds, its generation, the
    position in the stream, the shard's number. Positions grow with every record, opening and closing in the whole
    stream, so numbers grow in each shard, and a child's are greater than its parents'.

    Args:
        name: Its name.
        arn: Its ARN.
        shard_count: How many shards it starts with.
        limits: What its shards carry.
        now: The time, in seconds since the epoch.
        generation: Tells it from earlier streams of its name, below a million.
    """

    def __init__(
        self, *, name: str, arn: str, shard_count: int, limits: Limits, now: float, generation: int
    ) -> None:
        self.name = name
        self.arn = arn
        self.created_at = now
        self.generation = generation
        self.retention_hours = 24
        self.tags: dict[str, str] = {}
        self.status = StreamStatus.ACTIVE
        self.position = 0
        self.shards: dict[str, Shard] = {}
        self._limits = limits
        self._shards_made = 0
        self._prefix = f"49{int(now * 1e6):017d}{generation % 1_000_000:06d}"
        self._open: list[Shard] = []
        self._starts: list[int] = []
        self._closed: deque[Shard] = deque()
        self._ready_at: float | None = None
        self._when_ready: Callable[[float], None] | None = None
        for hash_range in uniform_ranges(shard_count):
            self._open.append(self._new_shard(hash_range, (), now))
        self._starts = [shard.hash_range.start for shard in self._open]

    # -- sequence numbers

    def sequence_number(self, position: int, shard: Shard) -> str:
        """The sequence number that stands for a position in a shard."""
        return f"{self._prefix}{position:0{_POSITION_DIGITS}d}{shard.number:0{_SHARD_DIGITS}d}"

    def position_of(self, sequence_number: str, shard: Shard) -> int | None:
        """The position that a sequence number stands for; None if it is not one of this shard's."""
        digits = sequence_number.removeprefix(self._prefix)
        if len(digits) != _POSITION_DIGITS + _SHARD_DIGITS or not (digits.isascii() and digits.isdigit()):
            return None
        if int(digits[_POSITION_DIGITS:]) != shard.number:
            return None
        position = int(digits[:_POSITION_DIGITS])
        return position if shard.opened_position <= position <= self.position else None

    # -- transitions

    def begin(self, status: StreamStatus, now: float, seconds: float, then: Callable[[float], None]) -> None:
        """Pass through a state for a time, then do something; at once if the time is 0."""
        if seconds <= 0:
            then(now)
            return
        self.status, self._ready_at, self._when_ready = status, now + seconds, then

    def settle(self, now: float) -> None:
        """Finish the transition under way if its time has come."""
        if self._ready_at is None or now < self._ready_at or self._when_ready is None:
            return
        ready_at, then = self._ready_at, self._when_ready
        self.status, self._ready_at, self._when_ready = StreamStatus.ACTIVE, None, None
        then(ready_at)

    # -- shards

    @property
    def open_shards(self) -> tuple[Shard, ...]:
        """The open shards, in hash order."""
        return tuple(self._open)

    def shard_for(self, hash_key: int) -> Shard:
        """The open shard that takes a hash key."""
        return self._open[bisect_right(self._starts, hash_key) - 1]

    def next_position(self) -> int:
        """Count on by one."""
        self.position += 1
        return self.position

    def horizon(self, now: float) -> float:
        """The time at or before which everything is past retention."""
        return now - self.retention_hours * 3600

    def trim(self, now: float) -> None:
        """Forget closed shards whose last possible record is past retention."""
        horizon = self.horizon(now)
        while self._closed and self._closed[0].closed_at is not None and self._closed[0].closed_at <= horizon:
            del self.shards[self._closed.popleft().shard_id]

    def open_at(self, at: float, now: float) -> list[Shard]:
        """The shards that were open at a time, or at the trim horizon if that is later; they tile the hash keys.

        They never contain a parent together with all its children, which a fresh KCL application could not take.
        """
        horizon = max(at, self.horizon(now))
        if horizon <= self.created_at:
            return [shard for shard in self.shards.values() if not shard.parents]
        return [shard for shard in self.shards.values() if shard.was_open_at(horizon)]

    def split(self, step: Split, now: float) -> None:
        """Split a shard in two."""
        index = bisect_right(self._starts, step.at) - 1
        parent = self._open[index]
        lower = HashRange(parent.hash_range.start, step.at - 1)
        upper = HashRange(step.at, parent.hash_range.end)
        self._replace(index, (parent,), (lower, upper), now)

    def merge(self, step: Merge, now: float) -> None:
        """Merge two shards into one."""
        index = bisect_right(self._starts, step.at) - 2
        left, right = self._open[index : index + 2]
        self._replace(index, (left, right), (HashRange(left.hash_range.start, right.hash_range.end),), now)

    def scale(self, target: int, now: float) -> None:
        """Split and merge until a number of shards divides the hash keys evenly."""
        for step in plan_uniform_scaling([shard.hash_range for shard in self._open], target):
            if isinstance(step, Split):
                self.split(step, now)
            else:
                self.merge(step, now)

    def _replace(
        self, index: int, parents: tuple[Shard, ...], ranges: Iterable[HashRange], now: float
    ) -> None:
        for parent in parents:
            parent.close(self.next_position(), now)
            self._closed.append(parent)
        parent_ids = tuple(parent.shard_id for parent in parents)
        children = [self._new_shard(hash_range, parent_ids, now) for hash_range in ranges]
        for parent in parents:
            parent.children = children
        self._open[index : index + len(parents)] = children
        self._starts = [shard.hash_range.start for shard in self._open]

    def _new_shard(self, hash_range: HashRange, parents: tuple[str, ...], now: float) -> Shard:
        shard = Shard(
            number=self._shards_made,
            hash_range=hash_range,
            parents=parents,
            opened_at=now,
            opened_position=self.next_position(),
            budget=ShardBudget(self._limits, now),
        )
        self._shards_made += 1
        self.shards[shard.shard_id] = shard
        return shard

    # -- retention

    def retain(self, hours: int, now: float) -> None:
        """Change the retention; what is past it is gone at once.

        Raises:
            KinesisError: InvalidArgumentException, outside 24 to 8760 hours (365 days).
        """
        if not 24 <= hours <= 8760:
            raise invalid_argument(f"RetentionPeriodHours is {hours}; it must be from 24 to 8760 hours.")
        self.retention_hours = hours
        self.trim(now)
        for shard in self.shards.values():
            shard.trim(self.horizon(now))
