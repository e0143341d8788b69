"""One stream: its shards, their lineage, and the position that every record takes.

::

    CREATING ──> ACTIVE ──a change is asked for──> UPDATING ──> ACTIVE, changed
                    └──────deletion is asked for──> DELETING ──> gone

Each arrow to the right takes the fake's transition time; with none, the state between is never seen. What was
asked for shows at its end: until then an UPDATING stream has its old shards, and they take records.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final

from orderstream.kinesis.shard import HashRange
from orderstream.testing.errors import KinesisError, invalid_argument, shard_not_found
from orderstream.testing.state.limits import Limits, ShardBudget
from orderstream.testing.state.resharding import (
    Merge,
    Split,
    plan_uniform_scaling,
    uniform_ranges,
)
from orderstream.testing.state.shard import StoredShard

DEFAULT_RETENTION_HOURS = 24

PROVISIONED: Final = "PROVISIONED"
ON_DEMAND: Final = "ON_DEMAND"
AUTO: Final = "AUTO"
USER_PARTITION_KEY: Final = "USER_PARTITION_KEY"


class Stream:
    """A stream of shards.

    Args:
        name: Its name.
        account: The account it belongs to.
        region: The region it is in.
        generation: Distinguishes it from an earlier stream of the same name.
        shard_count: Shards to begin with.
        limits: What its shards carry.
        now: When it is created, in seconds since the epoch.
        done_at: When it becomes ACTIVE.

    Attributes:
        retention_hours: How long records are kept.
        tags: Its tags.
        mode: PROVISIONED or ON_DEMAND.
        distribution: USER_PARTITION_KEY, or AUTO: keys do not decide where a record goes.
        max_record_bytes: Data and partition key of its largest record.
        key_id: The key that it encrypts with; None if it does not.
    """

    def __init__(
        self,
        name: str,
        *,
        account: str,
        region: str,
        generation: int,
        shard_count: int,
        limits: Limits,
        now: float,
        done_at: float,
    ) -> None:
        self.name = name
        self.account = account
        self.arn = f"arn:aws:kinesis:{region}:{account}:stream/{name}"
        self.generation = generation
        self.created_at = now
        self.retention_hours = DEFAULT_RETENTION_HOURS
        self.tags: dict[str, str] = {}
        self.mode = PROVISIONED
        self.distribution = USER_PARTITION_KEY
        self.max_record_bytes = limits.record_bytes
        self.key_id: str | None = None
        self._switches: list[int] = []  # positions at which encryption went on, off, on ...
        self.shards: list[StoredShard] = []
        self.position = 1
        self._limits = limits
        self._done_at = done_at
        self._busy_status = "CREATING"
        self._pending: Callable[[float], None] | None = None
        self._open: list[StoredShard] = []
        self._starts: list[int] = []
        for hash_range in uniform_ranges(shard_count):
            self._add(hash_range, (), now)
        self._index()

    def status(self, now: float) -> str:
        """CREATING, UPDATING, DELETING or ACTIVE."""
        return "ACTIVE" if now >= self._done_at else self._busy_status

    def is_there(self, now: float) -> bool:
        """Whether it has shards to write and read: not while it is made or deleted."""
        return self.status(now) not in ("CREATING", "DELETING")

    def demand_active(self, now: float) -> None:
        """Refuse what only an ACTIVE stream can do.

        Raises:
            KinesisError: ResourceInUseException.
        """
        if (status := self.status(now)) != "ACTIVE":
            message = f"Stream {self.name} under account {self.account} not ACTIVE, instead in state {status}"
            raise KinesisError("ResourceInUseException", message)

    def change(self, apply: Callable[[float], None], now: float, done_at: float) -> None:
        """Be UPDATING until a time, then changed.

        Args:
            apply: Makes the change, as of a time.
            now: The time.
            done_at: When it is done; at once if that is not later than now.
        """
        if done_at <= now:
            apply(now)
        else:
            self._busy_status, self._done_at, self._pending = "UPDATING", done_at, apply

    def delete(self, done_at: float) -> None:
        """Be DELETING until a time."""
        self._busy_status, self._done_at, self._pending = "DELETING", done_at, None

    def is_gone(self, now: float) -> bool:
        """Whether its deletion is over."""
        return self._busy_status == "DELETING" and now >= self._done_at

    def apply_pending(self, now: float) -> None:
        """Make the change whose time has come."""
        if self._pending is not None and now >= self._done_at:
            apply, self._pending = self._pending, None
            apply(self._done_at)

    def encrypt(self, key_id: str | None) -> None:
        """Encrypt with a key from now on, or with none."""
        if (key_id is None) != (self.key_id is None):
            self._switches.append(self.position)
        self.key_id = key_id

    def was_encrypted(self, position: int) -> bool:
        """Whether a record was encrypted when it was put."""
        return bool(self._switches) and bisect_right(self._switches, position) % 2 == 1

    @property
    def open_shards(self) -> Sequence[StoredShard]:
        """The open shards, by hash range."""
        return self._open

    def shard(self, shard_id: str) -> StoredShard:
        """Find a shard.

        Raises:
            KinesisError: ResourceNotFoundException.
        """
        number = shard_id.removeprefix("shardId-")
        if number.isdecimal() and int(number) < len(self.shards):
            return self.shards[int(number)]
        raise shard_not_found(shard_id, self.name, self.account)

    def retained_shard(self, shard_id: str, now: float) -> StoredShard:
        """Find a shard that may still hold records.

        Raises:
            KinesisError: ResourceNotFoundException.
        """
        shard = self.shard(shard_id)
        if not self._retains(shard, now):
            raise shard_not_found(shard_id, self.name, self.account)
        return shard

    def next_shard(self) -> StoredShard:
        """The open shard that takes the next record where keys do not decide."""
        return self._open[self.position % len(self._open)]

    def shard_of(self, hash_key: int) -> StoredShard:
        """The open shard that takes a hash key."""
        return self._open[bisect_right(self._starts, hash_key) - 1]

    def append(self, shard: StoredShard, now: float, data: bytes, partition_key: str) -> int:
        """Put a record into a shard and return its position."""
        position = self.position
        self.position += 1
        shard.append(position, now, data, partition_key)
        return position

    def horizon(self, now: float) -> float:
        """Before this time everything is past retention."""
        return now - self.retention_hours * 3_600

    def listed(self, now: float) -> list[StoredShard]:
        """All shards that may still hold records, oldest first."""
        return [shard for shard in self.shards if self._retains(shard, now)]

    def open_at(self, at: float, now: float) -> list[StoredShard]:
        """The shards that were open at a time, or at the trim horizon if that is later."""
        at = max(at, self.horizon(now))
        listed = self.listed(now)
        if at <= self.created_at:
            # By lineage, not by time: on a clock that does not advance a first shard may have closed already.
            return [shard for shard in listed if not shard.parents]
        return [shard for shard in listed if shard.was_open_at(at)]

    def demand_splittable(self, shard: StoredShard, at: int) -> None:
        """Refuse to split a shard that is closed, or at a hash key that is not inside of it.

        Raises:
            KinesisError: InvalidArgumentException.
        """
        self._demand_open(shard)
        start, end = shard.hash_range
        if not start + 1 < at < end:
            raise invalid_argument(
                f"NewStartingHashKey {at} used in SplitShard() on shard {shard.shard_id} in stream "
                f"{self.name} under account {self.account} is not both greater than one plus the shard's "
                f"StartingHashKey {start} and less than the shard's EndingHashKey {end}."
            )

    def split(self, shard: StoredShard, at: int, now: float) -> None:
        """Split an open shard at a hash key inside of it."""
        start, end = shard.hash_range
        self._replace([shard], [HashRange(start, at - 1), HashRange(at, end)], now)

    def demand_mergeable(self, first: StoredShard, second: StoredShard) -> None:
        """Refuse to merge shards that are closed, or whose ranges do not meet.

        Raises:
            KinesisError: InvalidArgumentException.
        """
        self._demand_open(first)
        self._demand_open(second)
        low, high = _in_order(first, second)
        if low is high or low.hash_range.end + 1 != high.hash_range.start:
            raise invalid_argument(
                f"Shards {first.shard_id} and {second.shard_id} in stream {self.name} under account "
                f"{self.account} are not an adjacent pair of shards eligible for merging"
            )

    def merge(self, first: StoredShard, second: StoredShard, now: float) -> None:
        """Merge two open shards whose ranges meet."""
        low, high = _in_order(first, second)
        self._replace([first, second], [HashRange(low.hash_range.start, high.hash_range.end)], now)

    def scale_to(self, count: int, now: float) -> None:
        """Split and merge until there are so many even shards."""
        for step in plan_uniform_scaling([shard.hash_range for shard in self._open], count):
            match step:
                case Split(at):
                    self.split(self.shard_of(at), at, now)
                case Merge(at):
                    self.merge(self.shard_of(at - 1), self.shard_of(at), now)

    def trim(self, now: float) -> None:
        """Forget what is past retention."""
        horizon = self.horizon(now)
        for shard in self.shards:
            shard.trim(horizon)

    def _retains(self, shard: StoredShard, now: float) -> bool:
        return shard.closed_at is None or shard.closed_at > self.horizon(now)

    def _demand_open(self, shard: StoredShard) -> None:
        if not shard.is_open:
            raise invalid_argument(
                f"Shard {shard.shard_id} in stream {self.name} under account {self.account} is not open."
            )

    def _replace(self, parents: Sequence[StoredShard], ranges: Sequence[HashRange], now: float) -> None:
        position = self.position
        self.position += 1
        for parent in parents:
            parent.close(position, now)
        children = [self._add(range_, tuple(parent.shard_id for parent in parents), now) for range_ in ranges]
        for parent in parents:
            parent.children.extend(children)
        self._index()

    def _add(self, hash_range: HashRange, parents: tuple[str, ...], now: float) -> StoredShard:
        shard = StoredShard(
            number=len(self.shards),
            hash_range=hash_range,
            parents=parents,
            opened_at=now,
            opened_position=self.position,
            budget=ShardBudget(self._limits, now),
            generation=self.generation,
        )
        self.position += 1
        self.shards.append(shard)
        return shard

    def _index(self) -> None:
        open_shards = [shard for shard in self.shards if shard.is_open]
        self._open = sorted(open_shards, key=lambda shard: shard.hash_range.start)
        self._starts = [shard.hash_range.start for shard in self._open]


def _in_order(first: StoredShard, second: StoredShard) -> tuple[StoredShard, StoredShard]:
    return (first, second) if first.hash_range.start <= second.hash_range.start else (second, first)
