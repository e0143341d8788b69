"""ListShards, SplitShard, MergeShards and UpdateShardCount."""

from collections.abc import Callable
from typing import Final

from orderstream.testing.errors import KinesisError, invalid_argument
from orderstream.testing.operations.family import OperationFamily
from orderstream.testing.operations.shapes import after, shard_shape
from orderstream.testing.state.iterators import ShardsToken, decode, encode
from orderstream.testing.state.shard import StoredShard
from orderstream.testing.state.stream import ON_DEMAND, Stream
from orderstream.testing.state.streams import Request, Response

_LISTED_AT_ONCE: Final = 1_000
_NOT_BESIDE_A_TOKEN: Final = (
    "StreamName",
    "StreamARN",
    "StreamCreationTimestamp",
    "ExclusiveStartShardId",
    "ShardFilter",
)


class ShardOperations(OperationFamily):
    """The operations on shards."""

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """See ``OperationFamily``."""
        return {
            "ListShards": self._list,
            "SplitShard": self._split,
            "MergeShards": self._merge,
            "UpdateShardCount": self._update_count,
        }

    def _list(self, request: Request) -> Response:
        now = self._streams.clock()
        if text := request.get("NextToken"):
            for member in _NOT_BESIDE_A_TOKEN:
                if member in request:
                    raise invalid_argument(f"NextToken and {member} cannot be provided together.")
            token = decode(text, ShardsToken, "NextToken")
            if now - token.issued_at > self._streams.limits.iterator_seconds:
                raise KinesisError("ExpiredNextTokenException", "The NextToken has expired.")
            stream = self._streams.named(token.stream)
            kind, shard_id, timestamp = token.filter_type, token.filter_shard, token.filter_timestamp
            last = token.after
        else:
            stream = self._streams.find(request)
            _demand_creation(stream, request)
            shard_filter = request.get("ShardFilter", {})
            kind, shard_id = shard_filter.get("Type"), shard_filter.get("ShardId")
            timestamp = shard_filter.get("Timestamp")
            start = request.get("ExclusiveStartShardId")
            last = stream.shard(start).number if start else -1
        if not stream.is_there(now):
            stream.demand_active(now)
        shards = [shard for shard in _filtered(stream, kind, shard_id, timestamp, now) if shard.number > last]
        limit = min(request.get("MaxResults", _LISTED_AT_ONCE), _LISTED_AT_ONCE)
        page = shards[:limit]
        response: Response = {"Shards": [shard_shape(shard) for shard in page]}
        if len(shards) > limit:
            following = ShardsToken(stream.name, page[-1].number, now, kind, shard_id, timestamp)
            response["NextToken"] = encode(following)
        return response

    def _split(self, request: Request) -> Response:
        stream, now = self._changing(request, "SplitShard")
        shard, at = stream.shard(request["ShardToSplit"]), int(request["NewStartingHashKey"])
        stream.demand_splittable(shard, at)
        stream.change(lambda then: stream.split(shard, at, then), now, self._streams.done_at(now))
        return {}

    def _merge(self, request: Request) -> Response:
        stream, now = self._changing(request, "MergeShards")
        first, second = (stream.shard(request[one]) for one in ("ShardToMerge", "AdjacentShardToMerge"))
        stream.demand_mergeable(first, second)
        stream.change(lambda then: stream.merge(first, second, then), now, self._streams.done_at(now))
        return {}

    def _update_count(self, request: Request) -> Response:
        stream, now = self._changing(request, "UpdateShardCount")
        current, target = len(stream.open_shards), request["TargetShardCount"]
        if not current / 2 <= target <= current * 2:
            raise invalid_argument(
                f"UpdateShardCount cannot scale from {current} to {target} shards: "
                "at most double and at least half of the open shards are possible."
            )
        stream.change(lambda then: stream.scale_to(target, then), now, self._streams.done_at(now))
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "CurrentShardCount": current,
            "TargetShardCount": target,
        }

    def _changing(self, request: Request, operation: str) -> tuple[Stream, float]:
        stream, now = self._streams.active(request)
        if stream.mode == ON_DEMAND:
            message = f"{operation} needs a stream in PROVISIONED mode, and {stream.name} is ON_DEMAND."
            raise KinesisError("ValidationException", message)
        return stream, now


def _demand_creation(stream: Stream, request: Request) -> None:
    """Compare a stream with the creation time that distinguishes it from an earlier one of its name."""
    created = request.get("StreamCreationTimestamp")
    if created is not None and int(created) != int(stream.created_at):
        raise invalid_argument(f"Stream {stream.name} was not created at {created}.")


def _filtered(
    stream: Stream, kind: str | None, shard_id: str | None, timestamp: float | None, now: float
) -> list[StoredShard]:
    """ShardFilter as the service model describes it."""
    listed = stream.listed(now)
    match kind:
        case None | "FROM_TRIM_HORIZON":
            return listed
        case "AFTER_SHARD_ID" if shard_id is not None:
            return after(listed, shard_id, stream)
        case "AT_LATEST":
            return [shard for shard in listed if shard.is_open]
        case "AT_TRIM_HORIZON":
            return stream.open_at(stream.created_at, now)
        case "AT_TIMESTAMP" if timestamp is not None:
            return stream.open_at(timestamp, now)
        case "FROM_TIMESTAMP" if timestamp is not None:
            return [shard for shard in listed if shard.closed_at is None or shard.closed_at > timestamp]
        case _:
            raise invalid_argument(f"ShardFilter of type {kind} is incomplete.")
