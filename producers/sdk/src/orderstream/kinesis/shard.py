"""What Kinesis says of a shard: its range of hash keys and its parents."""

from dataclasses import dataclass
from typing import NamedTuple


class HashRange(NamedTuple):
    """A slice of the hash keys, both ends included."""

    start: int
    end: int

    def __contains__(self, hash_key: object) -> bool:
        return isinstance(hash_key, int) and self.start <= hash_key <= self.end

    def overlaps(self, other: "HashRange") -> bool:
        """Whether the two share a hash key."""
        return self.start <= other.end and other.start <= self.end


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as ListShards and the ``ChildShards`` of a read describe it.

    Attributes:
        shard_id: Its id.
        hash_range: The hash keys it takes; it never changes.
        parents: Ids of the shards it came from: none, one (a split) or two (a merge).
        is_open: Whether it still takes records.
        starting_sequence_number: None of its records has a lower one; None where it is not known.
        ending_sequence_number: None of its records has a higher one; None while it is open, or where it is
            not known.
    """

    shard_id: str
    hash_range: HashRange
    parents: frozenset[str] = frozenset()
    is_open: bool = True
    starting_sequence_number: int | None = None
    ending_sequence_number: int | None = None
