"""The calls that describe streams and list shards."""

from operator import attrgetter

from orderstream.testing.account import Account, Request, Response, bounded, optional, required
from orderstream.testing.data_plane import required_timestamp
from orderstream.testing.errors import KinesisError, invalid_argument, validation
from orderstream.testing.iterators import ShardsToken, decode, encode
from orderstream.testing.shard import Shard
from orderstream.testing.stream import Stream, StreamStatus

_DEFAULT_PAGE = {"ListShards": 1_000, "DescribeStream": 100, "ListStreams": 100}
_LARGEST_PAGE = 10_000


def describe_stream(account: Account, request: Request, now: float) -> Response:
    """DescribeStream."""
    stream = account.stream(request, now)
    limit = bounded(request, "Limit", _DEFAULT_PAGE["DescribeStream"], _LARGEST_PAGE)
    after = optional(request, "ExclusiveStartShardId", str)
    shards = _after(_visible_shards(stream, now), _shard_number(after) if after else -1)
    return {
        "StreamDescription": {
            **_common(stream),
            "Shards": [_describe_shard(stream, shard) for shard in shards[:limit]],
            "HasMoreShards": len(shards) > limit,
        }
    }


def describe_stream_summary(account: Account, request: Request, now: float) -> Response:
    """DescribeStreamSummary."""
    stream = account.stream(request, now)
    summary = {**_common(stream), "OpenShardCount": len(stream.open_shards), "ConsumerCount": 0}
    return {"StreamDescriptionSummary": summary}


def list_streams(account: Account, request: Request, now: float) -> Response:
    """ListStreams; the paging token is the last name."""
    limit = bounded(request, "Limit", _DEFAULT_PAGE["ListStreams"], _LARGEST_PAGE)
    after = optional(request, "NextToken", str) or optional(request, "ExclusiveStartStreamName", str) or ""
    for name in list(account.streams):
        account.settle(name, now)
    names = sorted(name for name in account.streams if name > after)
    page = names[:limit]
    response: Response = {
        "StreamNames": page,
        "HasMoreStreams": len(names) > limit,
        "StreamSummaries": [_summary(account.streams[name]) for name in page],
    }
    if len(names) > limit:
        response["NextToken"] = page[-1]
    return response


def list_shards(account: Account, request: Request, now: float) -> Response:
    """ListShards, with every filter, page by page."""
    limit = bounded(request, "MaxResults", _DEFAULT_PAGE["ListShards"], _LARGEST_PAGE)
    token = _continued(account, request, now) or _begun(account, request, now)
    stream = account.stream_named(token.stream, now)
    if stream.status in (StreamStatus.CREATING, StreamStatus.DELETING):
        raise KinesisError(
            "ResourceInUseException",
            f"Stream {stream.name} under account {account.account_id} not ACTIVE, "
            f"instead in state {stream.status}",
        )
    shards = _after(_filtered(stream, token, now), token.after)
    page = shards[:limit]
    response: Response = {"Shards": [_describe_shard(stream, shard) for shard in page]}
    if len(shards) > limit:
        response["NextToken"] = encode(
            ShardsToken(
                stream.name,
                page[-1].number,
                now,
                token.filter_type,
                token.filter_shard,
                token.filter_timestamp,
            )
        )
    return response


def _continued(account: Account, request: Request, now: float) -> ShardsToken | None:
    text = optional(request, "NextToken", str)
    if text is None:
        return None
    if any(member in request for member in ("StreamName", "ExclusiveStartShardId", "ShardFilter")):
        raise invalid_argument(
            "NextToken cannot be given together with StreamName, ExclusiveStartShardId or ShardFilter."
        )
    token = decode(text, ShardsToken, "NextToken")
    if now - token.issued_at > account.limits.iterator_seconds:
        raise KinesisError("ExpiredNextTokenException", "The NextToken has expired; list from the start.")
    return token


def _begun(account: Account, request: Request, now: float) -> ShardsToken:
    stream = account.stream(request, now)
    after = optional(request, "ExclusiveStartShardId", str)
    shard_filter = optional(request, "ShardFilter", dict) or {}
    kind = required(shard_filter, "Type", str) if shard_filter else None
    shard_id = timestamp = None
    if kind == "AFTER_SHARD_ID":
        shard_id = optional(shard_filter, "ShardId", str)
        if shard_id is None:
            raise invalid_argument("ShardFilter of type AFTER_SHARD_ID must have a ShardId.")
    if kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP"):
        timestamp = required_timestamp(shard_filter, now)
    return ShardsToken(stream.name, _shard_number(after) if after else -1, now, kind, shard_id, timestamp)


def _filtered(stream: Stream, token: ShardsToken, now: float) -> list[Shard]:
    shards = _visible_shards(stream, now)
    horizon = stream.horizon(now)
    match token.filter_type:
        case None | "FROM_TRIM_HORIZON":
            return shards
        case "AFTER_SHARD_ID":
            return _after(shards, _shard_number(token.filter_shard or ""))
        case "AT_LATEST":
            return [shard for shard in shards if shard.is_open]
        case "AT_TRIM_HORIZON":
            return stream.open_at(horizon, now)
        case "AT_TIMESTAMP":
            return stream.open_at(token.filter_timestamp or 0.0, now)
        case "FROM_TIMESTAMP":
            at = token.filter_timestamp or 0.0
            return [shard for shard in shards if shard.closed_at is None or shard.closed_at >= at]
        case kind:
            raise validation("shardFilter.type", kind, "satisfy enum value set: the six filter types")


def _visible_shards(stream: Stream, now: float) -> list[Shard]:
    stream.trim(now)
    return list(stream.shards.values())


def _after(shards: list[Shard], number: int) -> list[Shard]:
    return sorted((shard for shard in shards if shard.number > number), key=attrgetter("number"))


def _shard_number(shard_id: str) -> int:
    digits = shard_id.removeprefix("shardId-")
    if not digits.isdigit():
        raise invalid_argument(f"{shard_id} is not a shard id.")
    return int(digits)


def _describe_shard(stream: Stream, shard: Shard) -> Response:
    numbers = {"StartingSequenceNumber": stream.sequence_number(shard.opened_position, shard)}
    if shard.closed_position is not None:
        numbers["EndingSequenceNumber"] = stream.sequence_number(shard.closed_position, shard)
    described: Response = {
        "ShardId": shard.shard_id,
        "HashKeyRange": {
            "StartingHashKey": str(shard.hash_range.start),
            "EndingHashKey": str(shard.hash_range.end),
        },
        "SequenceNumberRange": numbers,
    }
    for member, parent in zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False):
        described[member] = parent
    return described


def _summary(stream: Stream) -> Response:
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": str(stream.status),
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "StreamCreationTimestamp": stream.created_at,
    }


def _common(stream: Stream) -> Response:
    return {
        **_summary(stream),
        "RetentionPeriodHours": stream.retention_hours,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
    }
