"""What Kinesis says of a shard: its range of hash keys and its place in the lineage."""

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
    """

    shard_id: str
    starting_hash_key: int
    ending_hash_key: int
    parents: frozenset[str] = frozenset()
    is_open: bool = True
