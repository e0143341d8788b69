"""Shards as the service model writes them."""

from orderstream.testing.state.shard import StoredShard
from orderstream.testing.state.stream import Stream
from orderstream.testing.state.streams import Response


def shard_shape(shard: StoredShard) -> Response:
    """A shard of a listing."""
    sequence = {"StartingSequenceNumber": shard.sequence_number(shard.opened_position)}
    if shard.closed_position is not None:
        sequence["EndingSequenceNumber"] = shard.sequence_number(shard.closed_position)
    parents = dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))
    return {
        "ShardId": shard.shard_id,
        **parents,
        "HashKeyRange": hash_key_range(shard),
        "SequenceNumberRange": sequence,
    }


def child_shape(shard: StoredShard) -> Response:
    """A shard of the end of another."""
    return {
        "ShardId": shard.shard_id,
        "ParentShards": list(shard.parents),
        "HashKeyRange": hash_key_range(shard),
    }


def hash_key_range(shard: StoredShard) -> Response:
    """A shard's hash keys."""
    return {"StartingHashKey": str(shard.hash_range.start), "EndingHashKey": str(shard.hash_range.end)}


def after(shards: list[StoredShard], shard_id: str | None, stream: Stream) -> list[StoredShard]:
    """The shards behind one in a listing.

    Raises:
        KinesisError: ResourceNotFoundException, if there is no such shard.
    """
    last = stream.shard(shard_id).number if shard_id else -1
    return [shard for shard in shards if shard.number > last]
