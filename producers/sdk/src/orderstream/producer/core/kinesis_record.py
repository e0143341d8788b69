r"""The Kinesis records of a PutRecords request, and the batches that become such records.

::

                         the turn of its slot
    user records --> RecordBatch ----------------> KinesisRecord --> under way --> landed
                     ^   grows meanwhile        ^                 |
                     |                          | as it is        | comes back
                     |                          +-----------------+
                     +--------------------------------------------+
                       opened, if it is small, or if its user records now belong to several slots
"""

from collections.abc import Sequence
from operator import attrgetter

from orderstream.aggregation.codec import MAGIC, Body, seal
from orderstream.producer.core.pending import PendingRecord
from orderstream.producer.outcome import Acknowledged, Attempt, Completion

# The partition key of an aggregate leads nowhere, its explicit hash key does; KPL writes the same letter.
AGGREGATE_PARTITION_KEY = "a"

_size = attrgetter("size")

# Numbers that need not be created again for each record.
_INDEXES = tuple(range(4096))


class KinesisRecord:
    """One entry of a PutRecords request: a single user record, or an aggregate of many.

    Args:
        user_records: What it carries, in put order.
        data: The entry's data.
        partition_key: The entry's partition key.
        explicit_hash_key: The entry's explicit hash key in decimal, if any.
        aggregated: Whether ``data`` is an aggregate.
        user_bytes: What the user records take from the buffer, in bytes.
        completion: Holds their outcome.

    Attributes:
        shard_id: Where the shard map says it will land.
        map_version: Which shard map said so.
        sent_at: When its request was made, in seconds.
        landed: Where it did land, while that still has to be judged.
        size: What Kinesis counts for it: data and partition key, in bytes.
    """

    __slots__ = (
        "aggregated",
        "completion",
        "data",
        "explicit_hash_key",
        "landed",
        "map_version",
        "partition_key",
        "sent_at",
        "shard_id",
        "size",
        "user_bytes",
        "user_records",
    )

    grows = False
    """A sealed record takes no further user records; see ``RecordBatch.grows``."""

    def __init__(
        self,
        user_records: Sequence[PendingRecord],
        data: bytes,
        partition_key: str,
        explicit_hash_key: str | None,
        *,
        aggregated: bool,
        user_bytes: int,
        completion: Completion,
    ) -> None:
        self.user_records = user_records
        self.data = data
        self.partition_key = partition_key
        self.explicit_hash_key = explicit_hash_key
        self.aggregated = aggregated
        self.user_bytes = user_bytes
        self.completion = completion
        self.size = len(data) + len(partition_key.encode())
        self.shard_id = ""
        self.map_version = 0
        self.sent_at = 0.0
        self.landed: Acknowledged | None = None

    def failed(self, attempt: Attempt) -> None:
        """Remember for each user record that an attempt failed."""
        for record in self.user_records:
            record.failed(attempt)


class RecordBatch:
    """User records of one slot that gather for one Kinesis record, packed as they come.

    Args:
        body: The aggregate they are packed into; None for a record that travels alone.

    Attributes:
        grows: Whether others may join.
        user_records: The records, in put order.
        user_bytes: What they take from the buffer, in bytes.
        completion: Holds their outcome.
    """

    __slots__ = ("body", "completion", "grows", "user_bytes", "user_records")

    def __init__(self, body: Body | None) -> None:
        self.body = body
        self.grows = body is not None
        self.user_records: list[PendingRecord] = []
        self.user_bytes = 0
        self.completion = Completion()

    def add(self, records: Sequence[PendingRecord]) -> None:
        """Let records join that the body has taken, or the one that travels alone."""
        completion = self.completion
        first, end = len(self.user_records), len(self.user_records) + len(records)
        indexes = _INDEXES[first:end] if end <= len(_INDEXES) else range(first, end)
        for record, index in zip(records, indexes, strict=True):
            record.completion = completion
            record.index = index
        self.user_records += records
        self.user_bytes += sum(map(_size, records))

    @property
    def size(self) -> int:
        """What Kinesis will count for it at most: data and partition key, in bytes."""
        return self.user_bytes if self.body is None else self.body.size + len(AGGREGATE_PARTITION_KEY)

    def close(self) -> None:
        """Take no further user records."""
        self.grows = False
        if self.body is not None:
            self.body.close()

    def seal(self) -> KinesisRecord:
        """Make a Kinesis record of it.

        A user record that found no company goes out plain, as KPL does. One that looks like an aggregate
        itself is wrapped, or consumers would open it. The aggregate's explicit hash key is that of its first
        user record: it belongs to the slot, hence to the shard.
        """
        records, first = self.user_records, self.user_records[0]
        if self.body is not None and (len(records) > 1 or first.data.startswith(MAGIC)):
            return KinesisRecord(
                records,
                seal(self.body),
                AGGREGATE_PARTITION_KEY,
                str(first.hash_key),
                aggregated=True,
                user_bytes=self.user_bytes,
                completion=self.completion,
            )
        hash_key = first.explicit_hash_key
        return KinesisRecord(
            records,
            first.data,
            first.partition_key,
            None if hash_key is None else str(hash_key),
            aggregated=False,
            user_bytes=self.user_bytes,
            completion=self.completion,
        )
