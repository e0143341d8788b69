"""What the producer's core moves about: user records on their way, and the Kinesis records they ride in."""

from orderstream.kpl.outcome import REMEMBERED_ATTEMPTS, Acknowledged, Attempt
from orderstream.kpl.user_record import UserRecord


class PendingRecord:
    """A user record between ``put`` and its outcome.

    Args:
        record: What the application put.
        size: Payload and UTF-8 partition key, in bytes: what it takes from the buffer.
        token: Whatever the shell needs to report the outcome; the core never looks at it.

    Attributes:
        hash_key: Where it belongs, 0 to 2**128 - 1.
        number: Its place in put order.
        put_at: When the core took it, in seconds.
        attempts: The most recent attempts, oldest first.
    """

    __slots__ = ("attempts", "hash_key", "number", "put_at", "record", "size", "token")

    def __init__(self, record: UserRecord, size: int, token: object = None) -> None:
        self.record = record
        self.size = size
        self.token = token
        self.hash_key = record.hash_key
        self.number = 0
        self.put_at = 0.0
        self.attempts: tuple[Attempt, ...] = ()

    def add(self, attempt: Attempt) -> None:
        """Remember an attempt."""
        self.attempts = (*self.attempts[1 - REMEMBERED_ATTEMPTS :], attempt)


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
        "user_records",
    )

    def __init__(
        self,
        user_records: list[PendingRecord],
        data: bytes,
        partition_key: str,
        explicit_hash_key: str | None,
        *,
        shard_id: str,
        map_version: int,
        aggregated: bool,
    ) -> None:
        self.user_records = user_records
        self.data = data
        self.partition_key = partition_key
        self.explicit_hash_key = explicit_hash_key
        self.shard_id = shard_id
        self.map_version = map_version
        self.aggregated = aggregated
        self.sent_at = 0.0
        self.landed: Acknowledged | None = None

    @property
    def size(self) -> int:
        """What Kinesis counts for it: data and partition key, in bytes."""
        return len(self.data) + len(self.partition_key.encode())

    def add(self, attempt: Attempt) -> None:
        """Remember an attempt for each user record."""
        for record in self.user_records:
            record.add(attempt)
