"""What the producer's core moves about: user records on their way, and the Kinesis records they ride in."""

from collections.abc import Sequence

import msgspec

from orderstream.kpl.outcome import REMEMBERED_ATTEMPTS, Acknowledged, Attempt
from orderstream.kpl.user_record import UserRecord, hash_key_of


# A Struct is made in a fifth of the time of a class with slots. The collector need not look at millions of
# them: until the outcome is there the core holds them, afterwards they lead nowhere.
class PendingRecord(msgspec.Struct, gc=False, eq=False):
    """A user record between ``put`` and its outcome.

    Attributes:
        partition_key: As it was put.
        data: As it was put.
        explicit_hash_key: As it was put.
        size: Payload and UTF-8 partition key, in bytes: what it takes from the buffer.
        number: Its place in put order.
        put_at: When the core took it, in seconds.
        attempts: The most recent attempts, oldest first.
        retries: How often it was sent again.
    """

    partition_key: str
    data: bytes
    explicit_hash_key: int | None
    size: int
    number: int = 0
    put_at: float = 0.0
    attempts: tuple[Attempt, ...] = ()
    retries: int = 0

    def __repr__(self) -> str:
        """Leave the payload out: it may be personal."""
        return f"<{type(self).__name__} {self.number}, {self.size} bytes>"

    @property
    def record(self) -> UserRecord:
        """What the application put."""
        return UserRecord(self.partition_key, self.data, self.explicit_hash_key)

    @property
    def hash_key(self) -> int:
        """Where it belongs, 0 to 2**128 - 1."""
        explicit = self.explicit_hash_key
        return hash_key_of(self.partition_key) if explicit is None else explicit


class KinesisRecord:
    """One entry of a PutRecords request: a single user record, or an aggregate of many.

    Args:
        user_records: What it carries, in put order.
        data: The entry's data.
        partition_key: The entry's partition key.
        explicit_hash_key: The entry's explicit hash key in decimal, if any.
        shard_id: Where the shard map says it will land.
        map_version: Which shard map said so.
        aggregated: Whether ``data`` is an aggregate.
        user_bytes: What the user records take from the buffer, in bytes.

    Attributes:
        sent_at: When its request was made, in seconds.
        landed: Where it did land, while that still has to be judged.
    """

    __slots__ = (
        "aggregated",
        "data",
        "explicit_hash_key",
        "landed",
        "map_version",
        "partition_key",
        "sent_at",
        "shard_id",
        "user_bytes",
        "user_records",
    )

    def __init__(
        self,
        user_records: Sequence[PendingRecord],
        data: bytes,
        partition_key: str,
        explicit_hash_key: str | None,
        *,
        shard_id: str,
        map_version: int,
        aggregated: bool,
        user_bytes: int,
    ) -> None:
        self.user_records = user_records
        self.data = data
        self.partition_key = partition_key
        self.explicit_hash_key = explicit_hash_key
        self.shard_id = shard_id
        self.map_version = map_version
        self.aggregated = aggregated
        self.user_bytes = user_bytes
        self.sent_at = 0.0
        self.landed: Acknowledged | None = None

    @property
    def size(self) -> int:
        """What Kinesis counts for it: data and partition key, in bytes."""
        return len(self.data) + len(self.partition_key.encode())

    def add(self, attempt: Attempt) -> None:
        """Remember an attempt for each user record."""
        alone = (attempt,)
        for record in self.user_records:
            earlier = record.attempts
            if earlier:
                record.retries += 1
                record.attempts = (*earlier[1 - REMEMBERED_ATTEMPTS :], attempt)
            else:
                record.attempts = alone
