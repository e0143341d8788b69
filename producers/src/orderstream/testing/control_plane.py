"""The calls that create, change and delete streams."""

from functools import partial

from orderstream.testing.account import Account, Request, Response, bounded, optional, required
from orderstream.testing.errors import invalid_argument, validation
from orderstream.testing.resharding import Merge, Split, is_inner_boundary
from orderstream.testing.shard import Shard
from orderstream.testing.stream import Stream, StreamStatus

_ON_DEMAND_SHARDS = 4
_MAX_TAGS = 50


def create_stream(account: Account, request: Request, now: float) -> Response:
    """CreateStream. An on-demand stream starts with four shards, as on AWS, and stays so."""
    on_demand = (optional(request, "StreamModeDetails", dict) or {}).get("StreamMode") == "ON_DEMAND"
    shard_count = optional(request, "ShardCount", int)
    if shard_count is None and not on_demand:
        raise validation("shardCount", "null", "not be null")
    stream = account.create(required(request, "StreamName", str), shard_count or _ON_DEMAND_SHARDS, now)
    stream.tags.update(optional(request, "Tags", dict) or {})
    return {}


def delete_stream(account: Account, request: Request, now: float) -> Response:
    """DeleteStream."""
    account.delete(account.active_stream(request, now), now)
    return {}


def split_shard(account: Account, request: Request, now: float) -> Response:
    """SplitShard."""
    stream = account.active_stream(request, now)
    shard = _open_shard(account, stream, required(request, "ShardToSplit", str), now)
    text = required(request, "NewStartingHashKey", str)
    if not (text.isascii() and text.isdigit()):
        raise validation("newStartingHashKey", text, "satisfy regular expression pattern: 0|([1-9]\\d{0,38})")
    at = int(text)
    if not is_inner_boundary(shard.hash_range, at):
        raise invalid_argument(
            f"NewStartingHashKey {at} used in SplitShard() on shard {shard.shard_id} in stream {stream.name} "
            f"under account {account.account_id} is not both greater than one plus the shard's "
            f"StartingHashKey {shard.hash_range.start} and less than the shard's EndingHashKey "
            f"{shard.hash_range.end}."
        )
    account.require_shards(len(stream.open_shards) + 1)
    _update(account, stream, now, partial(stream.split, Split(at)))
    return {}


def merge_shards(account: Account, request: Request, now: float) -> Response:
    """MergeShards."""
    stream = account.active_stream(request, now)
    one = _open_shard(account, stream, required(request, "ShardToMerge", str), now)
    other = _open_shard(account, stream, required(request, "AdjacentShardToMerge", str), now)
    lower, upper = sorted((one, other), key=lambda shard: shard.hash_range.start)
    if lower.hash_range.end + 1 != upper.hash_range.start:
        raise invalid_argument(
            f"Shards {one.shard_id} and {other.shard_id} in stream {stream.name} under account "
            f"{account.account_id} are not an adjacent pair of shards eligible for merging"
        )
    _update(account, stream, now, partial(stream.merge, Merge(upper.hash_range.start)))
    return {}


def update_shard_count(account: Account, request: Request, now: float) -> Response:
    """UpdateShardCount, from half to double the open shards."""
    stream = account.active_stream(request, now)
    current = len(stream.open_shards)
    target = bounded(request, "TargetShardCount", 0, account.limits.open_shards)
    if not target:
        raise validation("targetShardCount", "null", "not be null")
    if required(request, "ScalingType", str) != "UNIFORM_SCALING":
        raise validation("scalingType", request["ScalingType"], "satisfy enum value set: [UNIFORM_SCALING]")
    if target > current * 2 or target * 2 < current:
        bound = "up over double" if target > current else "down below half"
        raise invalid_argument(
            f"UpdateShardCount cannot scale {bound} your current open shard count. "
            f"Current open shard count: {current} Target shard count: {target}"
        )
    _update(account, stream, now, partial(stream.scale, target))
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "CurrentShardCount": current,
        "TargetShardCount": target,
    }


def increase_retention(account: Account, request: Request, now: float) -> Response:
    """IncreaseStreamRetentionPeriod."""
    stream = account.active_stream(request, now)
    hours = required(request, "RetentionPeriodHours", int)
    if hours < stream.retention_hours:
        raise invalid_argument(
            f"Requested retention period ({hours} hours) for stream {stream.name} can not be shorter than "
            f"existing retention period ({stream.retention_hours} hours)."
        )
    stream.retain(hours, now)
    return {}


def decrease_retention(account: Account, request: Request, now: float) -> Response:
    """DecreaseStreamRetentionPeriod."""
    stream = account.active_stream(request, now)
    hours = required(request, "RetentionPeriodHours", int)
    if hours > stream.retention_hours:
        raise invalid_argument(
            f"Requested retention period ({hours} hours) for stream {stream.name} can not be longer than "
            f"existing retention period ({stream.retention_hours} hours)."
        )
    stream.retain(hours, now)
    return {}


def add_tags(account: Account, request: Request, now: float) -> Response:
    """AddTagsToStream."""
    stream = account.stream(request, now)
    tags = {**stream.tags, **required(request, "Tags", dict)}
    if len(tags) > _MAX_TAGS:
        raise invalid_argument(f"A stream has at most {_MAX_TAGS} tags.")
    stream.tags = tags
    return {}


def remove_tags(account: Account, request: Request, now: float) -> Response:
    """RemoveTagsFromStream."""
    stream = account.stream(request, now)
    for key in required(request, "TagKeys", list):
        stream.tags.pop(key, None)
    return {}


def list_tags(account: Account, request: Request, now: float) -> Response:
    """ListTagsForStream."""
    stream = account.stream(request, now)
    limit = bounded(request, "Limit", _MAX_TAGS, _MAX_TAGS)
    after = optional(request, "ExclusiveStartTagKey", str) or ""
    keys = sorted(key for key in stream.tags if key > after)
    return {
        "Tags": [{"Key": key, "Value": stream.tags[key]} for key in keys[:limit]],
        "HasMoreTags": len(keys) > limit,
    }


def _open_shard(account: Account, stream: Stream, shard_id: str, now: float) -> Shard:
    shard = account.shard(stream, shard_id, now)
    if not shard.is_open:
        raise invalid_argument(
            f"Shard {shard_id} in stream {stream.name} under account {account.account_id} is not open."
        )
    return shard


def _update(account: Account, stream: Stream, now: float, then: partial[None]) -> None:
    stream.begin(StreamStatus.UPDATING, now, account.transition_seconds, then)
