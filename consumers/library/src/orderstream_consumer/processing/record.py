"""What a processor receives: user records with their position in a shard."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import Struct

from orderstream.aggregation.user_record import MAX_PARTITION_KEY


class Position(Struct, frozen=True, order=True):
    """Where a record is in a shard: a Kinesis sequence number and a sub-sequence number inside an aggregate.

    Sequence numbers are compared as integers: their decimal strings differ in length.

    Attributes:
        sequence_number: Kinesis' sequence number of the (possibly aggregated) record.
        subsequence_number: Index of the user record inside its aggregate, 0 for a plain record.
    """

    sequence_number: int
    subsequence_number: int = 0

    def __str__(self) -> str:
        """``SEQUENCE/SUB``, as it is written wherever people or rows read it."""
        return f"{self.sequence_number}/{self.subsequence_number}"

    def sortable(self, separator: str = "/") -> str:
        """Text that sorts as positions do. Kinesis' sequence numbers have 56 digits today.

        Args:
            separator: Text between the two numbers.
        """
        return f"{self.sequence_number:060}{separator}{self.subsequence_number:08}"

    def fields(self) -> dict[str, str | int]:
        """Its two numbers as fields of a row or of a log line; the first as text, it is no 64-bit number."""
        return {
            "sequence_number": str(self.sequence_number),
            "subsequence_number": self.subsequence_number,
        }


Sentinel = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "SHARD_END"]
"""A checkpoint that is no position: where to begin, or that all is done."""

Checkpoint = Position | Sentinel
"""How far a shard is done."""


@dataclass(frozen=True, slots=True)
class RetentionGap:
    """Records that the stream no longer held when they should have been read.

    How many there were cannot be known; between the two positions there may even have been none.

    Attributes:
        after: The last position that is done: the checkpoint, or what a live reader had read last.
        before: The first position that was still there.
    """

    after: Position
    before: Position


@dataclass(frozen=True, slots=True)
class DeliveredRecord:
    """One user record as it is handed to a processor; aggregates are already deaggregated.

    Attributes:
        shard_id: The shard it was read from.
        position: Where it is in that shard.
        partition_key: The user record's own partition key.
        data: The payload, as the producer put it.
        approximate_arrival: When Kinesis took it (UTC).
        explicit_hash_key: The user record's explicit hash key (0 to 2**128 - 1), if it had one.
    """

    shard_id: str
    position: Position
    partition_key: str
    data: bytes
    approximate_arrival: dt.datetime
    explicit_hash_key: int | None = None

    def position_fields(self) -> dict[str, str | int]:
        """Shard and position as fields of a row or of a log line."""
        return {"shard_id": self.shard_id, **self.position.fields()}


def possible_key(partition_key: str, position: Position) -> str:
    """A partition key as Kinesis takes one; most are that already.

    A record without a key (a stream whose record distribution is AUTO has such) is in no order with others,
    so it gets a key of its own: its position. A key that only a broken aggregate can hold becomes a digest.
    Parking has the key in the key of an item, which must not be empty and holds 1,024 bytes.

    Args:
        partition_key: The user record's key; empty if it has none.
        position: Where the user record is in its shard.
    """
    if not partition_key:
        return f"no-key:{position}"
    if len(partition_key) <= MAX_PARTITION_KEY:
        return partition_key
    return "sha256:" + hashlib.sha256(partition_key.encode()).hexdigest()


TRIM_HORIZON: Final = "TRIM_HORIZON"
LATEST: Final = "LATEST"
AT_TIMESTAMP: Final = "AT_TIMESTAMP"
SHARD_END: Final = "SHARD_END"
