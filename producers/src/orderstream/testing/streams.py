"""Streams as a whole: create, describe, list, reshard, retain."""

from collections.abc import Callable
from typing import Any

from orderstream.testing.errors import KinesisError, invalid_argument, stream_not_found, validation
from orderstream.testing.iterators import ShardsToken, decode, encode
from orderstream.testing.limits import Limits
from orderstream.testing.sequence import sequence_number
from orderstream.testing.shard import Shard
from orderstream.testing.stream import Stream

Request = dict[str, Any]
Answer = dict[str, Any]

_MIN_RETENTION_HOURS, _MAX_RETENTION_HOURS = 24, 8_760
_LISTED_AT_ONCE = 1_000


class Streams:
    """The streams by name.

    Args:
        limits: The limits that are kept.
        clock: Seconds since the epoch.
        account: The account's number.
        region: The region's name.
        transition_seconds: How long a stream is CREATING or UPDATING after a change.
    """

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        account: str,
        region: str,
        transition_seconds: float,
    ) -> None:
        self.limits = limits
        self.clock = clock
        self.transition_seconds = transition_seconds
        self._account = account
        self._region = region
        self._generation = 0
        self._streams: dict[str, Stream] = {}

    @staticmethod
    def name_in(request: Request) -> str | None:
        """The stream that a request names, by name or by ARN."""
        if arn := request.get("StreamARN"):
            return str(arn).rpartition("/")[2]
        name = request.get("StreamName")
        return str(name) if name else None

    def find(self, request: Request) -> Stream:
        """The stream of a request.

        Raises:
            KinesisError: it names none, or one that is not there.
        """
        name = self.name_in(request)
        if name is None:
            raise invalid_argument("Either StreamName or StreamARN must be given.")
        return self.named(name)

    def named(self, name: str) -> Stream:
        """The stream of a name.

        Raises:
            KinesisError: ResourceNotFoundException.
        """
        stream = self._streams.get(name)
        if stream is None:
            raise stream_not_found(name, self._account)
        return stream

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._streams)

    def create(self, name: str, shard_count: int) -> Stream:
        """Make a stream.

        Raises:
            KinesisError: ResourceInUseException.
        """
        if name in self._streams:
            message = f"Stream {name} under account {self._account} already exists."
            raise KinesisError("ResourceInUseException", message)
        self._generation += 1
        now = self.clock()
        stream = Stream(
            name,
            account=self._account,
            region=self._region,
            generation=self._generation,
            shard_count=shard_count,
            limits=self.limits,
            now=now,
            settled_at=self.settled_at(now),
        )
        self._streams[name] = stream
        return stream

    def settled_at(self, now: float) -> float:
        """When a change is over; one that takes no time is over even if the clock steps back."""
        return now + self.transition_seconds if self.transition_seconds else 0.0

    def delete(self, name: str) -> None:
        """Forget a stream."""
        del self._streams[name]


class StreamOperations:
    """The operations on streams and shards as such.

    Args:
        streams: The streams.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def operations(self) -> dict[str, Callable[[Request], Answer]]:
        """Each operation by its API name."""
        return {
            "CreateStream": self._create,
            "DeleteStream": self._delete,
            "DescribeLimits": self._limits,
            "DescribeStream": self._describe,
            "DescribeStreamSummary": self._summarize,
            "ListStreams": self._list_streams,
            "ListShards": self._list_shards,
            "SplitShard": self._split,
            "MergeShards": self._merge,
            "UpdateShardCount": self._update_shard_count,
            "IncreaseStreamRetentionPeriod": self._increase_retention,
            "DecreaseStreamRetentionPeriod": self._decrease_retention,
            "AddTagsToStream": self._add_tags,
            "RemoveTagsFromStream": self._remove_tags,
            "ListTagsForStream": self._list_tags,
        }

    def _create(self, request: Request) -> Answer:
        count = int(request.get("ShardCount") or 4)
        if count < 1:
            raise validation("shardCount", count, "have value greater than or equal to 1")
        if count > self._streams.limits.open_shards:
            raise KinesisError(
                "LimitExceededException", f"{count} shards are more than the account may have."
            )
        self._streams.create(str(request["StreamName"]), count)
        return {}

    def _delete(self, request: Request) -> Answer:
        self._streams.delete(self._streams.find(request).name)
        return {}

    def _describe(self, request: Request) -> Answer:
        stream = self._streams.find(request)
        shards = _after(stream.listed(self._streams.clock()), request.get("ExclusiveStartShardId"), stream)
        limit = int(request.get("Limit") or 100)
        return {
            "StreamDescription": self._description(stream)
            | {
                "Shards": [_shard(shard) for shard in shards[:limit]],
                "HasMoreShards": len(shards) > limit,
            }
        }

    def _limits(self, request: Request) -> Answer:  # noqa: ARG002 - it has no members
        open_shards = sum(len(self._streams.named(name).open_shards) for name in self._streams.names())
        return {
            "ShardLimit": self._streams.limits.open_shards,
            "OpenShardCount": open_shards,
            "OnDemandStreamCount": 0,
            "OnDemandStreamCountLimit": 50,
        }

    def _summarize(self, request: Request) -> Answer:
        stream = self._streams.find(request)
        summary = self._description(stream) | {
            "OpenShardCount": len(stream.open_shards),
            "ConsumerCount": 0,
        }
        return {"StreamDescriptionSummary": summary}

    def _description(self, stream: Stream) -> Answer:
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "StreamStatus": stream.status(self._streams.clock()),
            "StreamModeDetails": {"StreamMode": "PROVISIONED"},
            "RetentionPeriodHours": stream.retention_hours,
            "StreamCreationTimestamp": stream.created_at,
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
        }

    def _list_streams(self, request: Request) -> Answer:
        start = request.get("NextToken") or request.get("ExclusiveStartStreamName") or ""
        names = [name for name in self._streams.names() if name > start]
        limit = int(request.get("Limit") or 100)
        page = names[:limit]
        summaries = [self._description(self._streams.named(name)) for name in page]
        kept = ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")
        answer: Answer = {
            "StreamNames": page,
            "HasMoreStreams": len(names) > limit,
            "StreamSummaries": [{member: summary[member] for member in kept} for summary in summaries],
        }
        return answer | ({"NextToken": page[-1]} if len(names) > limit else {})

    def _list_shards(self, request: Request) -> Answer:
        now = self._streams.clock()
        if text := request.get("NextToken"):
            if self._streams.name_in(request):
                raise invalid_argument("NextToken and StreamName cannot be provided together.")
            token = decode(text, ShardsToken, "NextToken")
            if now - token.issued_at > self._streams.limits.iterator_seconds:
                raise KinesisError("ExpiredNextTokenException", "The NextToken has expired.")
            stream = self._streams.named(token.stream)
            kind, shard_id, timestamp = token.filter_type, token.filter_shard, token.filter_timestamp
            after = token.after
        else:
            stream = self._streams.find(request)
            shard_filter = request.get("ShardFilter") or {}
            kind, shard_id = shard_filter.get("Type"), shard_filter.get("ShardId")
            timestamp = shard_filter.get("Timestamp")
            start = request.get("ExclusiveStartShardId")
            after = stream.shard(start).number if start else -1
        shards = [
            shard for shard in _filtered(stream, kind, shard_id, timestamp, now) if shard.number > after
        ]
        limit = int(request.get("MaxResults") or _LISTED_AT_ONCE)
        page = shards[:limit]
        answer: Answer = {"Shards": [_shard(shard) for shard in page]}
        if len(shards) > limit:
            following = ShardsToken(stream.name, page[-1].number, now, kind, shard_id, timestamp)
            answer["NextToken"] = encode(following)
        return answer

    def _split(self, request: Request) -> Answer:
        stream, now = self._changing(request)
        stream.split(stream.shard(request["ShardToSplit"]), _hash_key(request["NewStartingHashKey"]), now)
        return self._changed(stream, now)

    def _merge(self, request: Request) -> Answer:
        stream, now = self._changing(request)
        first, second = request["ShardToMerge"], request["AdjacentShardToMerge"]
        stream.merge(stream.shard(first), stream.shard(second), now)
        return self._changed(stream, now)

    def _update_shard_count(self, request: Request) -> Answer:
        stream, now = self._changing(request)
        current, target = len(stream.open_shards), int(request["TargetShardCount"])
        if not current / 2 <= target <= current * 2:
            raise invalid_argument(
                f"UpdateShardCount cannot scale from {current} to {target} shards: "
                "at most double and at least half of the open shards are possible."
            )
        stream.scale_to(target, now)
        self._changed(stream, now)
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "CurrentShardCount": current,
            "TargetShardCount": target,
        }

    def _increase_retention(self, request: Request) -> Answer:
        stream, hours = self._streams.find(request), _retention(request)
        if hours < stream.retention_hours:
            raise invalid_argument(
                f"{hours} hours are less than the {stream.retention_hours} that there are."
            )
        stream.retention_hours = hours
        return {}

    def _decrease_retention(self, request: Request) -> Answer:
        stream, hours = self._streams.find(request), _retention(request)
        if hours > stream.retention_hours:
            raise invalid_argument(
                f"{hours} hours are more than the {stream.retention_hours} that there are."
            )
        stream.retention_hours = hours
        stream.trim(self._streams.clock())
        return {}

    def _add_tags(self, request: Request) -> Answer:
        self._streams.find(request).tags.update(request["Tags"])
        return {}

    def _remove_tags(self, request: Request) -> Answer:
        stream = self._streams.find(request)
        for key in request["TagKeys"]:
            stream.tags.pop(key, None)
        return {}

    def _list_tags(self, request: Request) -> Answer:
        tags = self._streams.find(request).tags
        return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)], "HasMoreTags": False}

    def _changing(self, request: Request) -> tuple[Stream, float]:
        stream, now = self._streams.find(request), self._streams.clock()
        stream.demand_active(now)
        return stream, now

    def _changed(self, stream: Stream, now: float) -> Answer:
        stream.busy_until(self._streams.settled_at(now))
        return {}


def _filtered(
    stream: Stream, kind: str | None, shard_id: str | None, timestamp: float | None, now: float
) -> list[Shard]:
    """ShardFilter as the service model describes it."""
    listed = stream.listed(now)
    match kind:
        case None | "FROM_TRIM_HORIZON":
            return listed
        case "AFTER_SHARD_ID" if shard_id is not None:
            return _after(listed, shard_id, stream)
        case "AT_LATEST":
            return [shard for shard in listed if shard.is_open]
        case "AT_TRIM_HORIZON":
            return stream.open_at(stream.created_at, now)
        case "AT_TIMESTAMP" if timestamp is not None:
            return stream.open_at(timestamp, now)
        case "FROM_TIMESTAMP" if timestamp is not None:
            return [shard for shard in listed if shard.closed_at is None or shard.closed_at > timestamp]
        case _:
            raise invalid_argument(f"ShardFilter of type {kind} is incomplete or unknown.")


def _after(shards: list[Shard], shard_id: str | None, stream: Stream) -> list[Shard]:
    after = stream.shard(shard_id).number if shard_id else -1
    return [shard for shard in shards if shard.number > after]


def _shard(shard: Shard) -> Answer:
    sequence = {"StartingSequenceNumber": sequence_number(shard.opened_position)}
    if shard.closed_position is not None:
        sequence["EndingSequenceNumber"] = sequence_number(shard.closed_position)
    parents = dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))
    return {
        "ShardId": shard.shard_id,
        **parents,
        "HashKeyRange": hash_key_range(shard),
        "SequenceNumberRange": sequence,
    }


def hash_key_range(shard: Shard) -> Answer:
    """A shard's hash keys as the service model writes them."""
    return {"StartingHashKey": str(shard.hash_range.start), "EndingHashKey": str(shard.hash_range.end)}


def _hash_key(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise validation("newStartingHashKey", text, "satisfy regular expression pattern: 0|([1-9]\\d{0,38})")
    return int(text)


def _retention(request: Request) -> int:
    hours = int(request["RetentionPeriodHours"])
    if not _MIN_RETENTION_HOURS <= hours <= _MAX_RETENTION_HOURS:
        raise invalid_argument(f"Retention has to be from 24 to 8760 hours, not {hours}.")
    return hours
