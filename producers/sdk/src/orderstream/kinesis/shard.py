"""What Kinesis says of a shard: its range of hash keys and its parents."""

from dataclasses import dataclass
from typing import NamedTuple, Never, NoReturn


class HashRange(NamedTuple):
    """A slice of the hash keys, both ends included."""

    start: int
    end: int

    def __contains__(self, hash_key: Never) -> NoReturn:  # type: ignore[override]
        # Of a plain pair, ``in`` asks for one of its two ends: code that got one would misjudge in silence.
        raise TypeError(f"ask covers({hash_key}), not `in`")

    def covers(self, hash_key: int) -> bool:
        """Whether a hash key lies between the two ends."""
        return self.start <= hash_key <= self.end

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
