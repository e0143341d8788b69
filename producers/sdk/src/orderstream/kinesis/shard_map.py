"""Which shard a hash key belongs to, by the last ListShards."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from orderstream.aggregation.user_record import MAX_HASH_KEY
from orderstream.errors import OrderstreamError
from orderstream.kinesis.shard import HashRange, Shard


class IncompleteShardMapError(OrderstreamError):
    """The open shards leave a gap or overlap: ListShards was caught in the middle of a change.

    Args:
        hash_key: Where it goes wrong.
    """

    retryable = True

    def __init__(self, hash_key: int) -> None:
        self.hash_key = hash_key
        super().__init__(f"the open shards do not meet at hash key {hash_key}; list them again in a moment")


class ShardMap:
    """The open shards, which tile the hash keys, and the ranges of all shards ever seen.

    A shard that is listed as another's parent counts as closed, whatever the listing says of it.

    Args:
        shards: The listing.
        known: Ranges from earlier listings. A range belongs to a shard id forever, so an old fact stays one.

    Raises:
        IncompleteShardMapError: The open shards do not tile the hash keys.
    """

    def __init__(self, shards: Iterable[Shard], known: Mapping[str, HashRange] | None = None) -> None:
        listed = list(shards)
        parents = {parent for shard in listed for parent in shard.parents}
        still_open = (shard for shard in listed if shard.is_open and shard.shard_id not in parents)
        self.open = tuple(sorted(still_open, key=lambda shard: shard.hash_range.start))
        self._require_tiling()
        self.ranges = {**(known or {}), **{shard.shard_id: shard.hash_range for shard in listed}}

    def same_shards_open(self, other: "ShardMap") -> bool:
        """Whether both maps lead every hash key to the same shard."""
        return [(shard.shard_id, shard.hash_range) for shard in self.open] == [
            (shard.shard_id, shard.hash_range) for shard in other.open
        ]

    def _require_tiling(self) -> None:
        if not self.open or self.open[0].hash_range.start != 0:
            raise IncompleteShardMapError(0)
        for left, right in pairwise(self.open):
            if left.hash_range.end + 1 != right.hash_range.start:
                raise IncompleteShardMapError(right.hash_range.start)
        if self.open[-1].hash_range.end != MAX_HASH_KEY:
            raise IncompleteShardMapError(MAX_HASH_KEY)
