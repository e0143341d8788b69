"""What Kinesis says of a shard: its range of hash keys and its parents."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as ListShards and the ``ChildShards`` of GetRecords describe it.

    Attributes:
        shard_id: Its id.
        starting_hash_key: The lowest hash key it takes.
        ending_hash_key: The highest hash key it takes, inclusive.
        parents: Ids of the shards it came from: none, one (a split) or two (a merge).
        is_open: Whether it still takes records.
        starting_sequence_number: None of its records has a lower one; None where it is not known.
        ending_sequence_number: None of its records has a higher one; None while it is open, or where it is
            not known.
    """

    shard_id: str
    starting_hash_key: int
    ending_hash_key: int
    parents: frozenset[str] = frozenset()
    is_open: bool = True
    starting_sequence_number: int | None = None
    ending_sequence_number: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What ListShards gave.

    Attributes:
        shards: All shards within retention, closed ones included.
        at: A moment by Kinesis' clock at or shortly before that of the listing, or of the look that it is
            compared with (UTC).
    """

    shards: tuple[Shard, ...]
    at: dt.datetime
