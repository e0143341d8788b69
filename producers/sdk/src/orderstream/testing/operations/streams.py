"""CreateStream, DeleteStream, DescribeStream, DescribeStreamSummary, ListStreams and DescribeLimits."""

from collections.abc import Callable
from typing import Final

from orderstream.testing.errors import KinesisError, invalid_argument
from orderstream.testing.operations.family import OperationFamily
from orderstream.testing.operations.shapes import after, shard_shape
from orderstream.testing.operations.tags import add_tags
from orderstream.testing.state.stream import AUTO, ON_DEMAND, PROVISIONED, USER_PARTITION_KEY, Stream
from orderstream.testing.state.streams import Request, Response

_ON_DEMAND_SHARDS: Final = 4
"""Shards that an on-demand stream begins with."""
_DESCRIBED_AT_ONCE: Final = 100
_LISTED: Final = ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")


class StreamOperations(OperationFamily):
    """The operations on streams as such."""

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """See ``OperationFamily``."""
        return {
            "CreateStream": self._create,
            "DeleteStream": self._delete,
            "DescribeLimits": self._limits,
            "DescribeStream": self._describe,
            "DescribeStreamSummary": self._summarize,
            "ListStreams": self._list_streams,
        }

    def _create(self, request: Request) -> Response:
        mode = request.get("StreamModeDetails", {}).get("StreamMode", PROVISIONED)
        distribution = request.get("RecordDistributionStrategy", USER_PARTITION_KEY)
        count = request.get("ShardCount")
        if mode == PROVISIONED and count is None:
            raise invalid_argument("ShardCount must be given for a stream in PROVISIONED mode.")
        if mode == ON_DEMAND and count is not None:
            raise invalid_argument("ShardCount cannot be given for a stream in ON_DEMAND mode.")
        if mode == PROVISIONED and distribution == AUTO:
            raise invalid_argument("RecordDistributionStrategy AUTO needs a stream in ON_DEMAND mode.")
        tags = add_tags({}, request.get("Tags", {}), str(request["StreamName"]))
        stream = self._streams.create(str(request["StreamName"]), count or _ON_DEMAND_SHARDS)
        stream.mode, stream.distribution, stream.tags = mode, distribution, tags
        if "MaxRecordSizeInKiB" in request:
            stream.max_record_bytes = request["MaxRecordSizeInKiB"] * 1024
        return {}

    def _delete(self, request: Request) -> Response:
        stream, now = self._streams.find(request), self._streams.clock()
        if self._streams.consumers_of(stream) and not request.get("EnforceConsumerDeletion"):
            message = f"Stream {stream.name} has registered consumers: deregister them, or enforce it."
            raise KinesisError("ResourceInUseException", message)
        for consumer in self._streams.consumers_of(stream):
            consumer.gone_at = now
        stream.delete(self._streams.done_at(now))
        return {}

    def _describe(self, request: Request) -> Response:
        stream, now = self._streams.find(request), self._streams.clock()
        listed = stream.listed(now) if stream.is_there(now) else []
        shards = after(listed, request.get("ExclusiveStartShardId"), stream)
        limit = min(request.get("Limit", _DESCRIBED_AT_ONCE), _DESCRIBED_AT_ONCE)
        return {
            "StreamDescription": self._description(stream)
            | {
                "Shards": [shard_shape(shard) for shard in shards[:limit]],
                "HasMoreShards": len(shards) > limit,
            }
        }

    def _limits(self, request: Request) -> Response:  # noqa: ARG002 - it has no members
        streams = self._streams.all()
        return {
            "ShardLimit": self._streams.limits.open_shards,
            "OpenShardCount": sum(len(one.open_shards) for one in streams if one.mode == PROVISIONED),
            "OnDemandStreamCount": sum(one.mode == ON_DEMAND for one in streams),
            "OnDemandStreamCountLimit": 50,
        }

    def _summarize(self, request: Request) -> Response:
        stream, now = self._streams.find(request), self._streams.clock()
        summary = self._description(stream) | {
            "OpenShardCount": len(stream.open_shards) if stream.is_there(now) else 0,
            "ConsumerCount": len(self._streams.consumers_of(stream)),
            "MaxRecordSizeInKiB": stream.max_record_bytes // 1024,
        }
        if stream.mode == ON_DEMAND:
            summary["RecordDistributionStrategy"] = stream.distribution
        return {"StreamDescriptionSummary": summary}

    def _description(self, stream: Stream) -> Response:
        encryption = {"EncryptionType": "KMS", "KeyId": stream.key_id} if stream.key_id else {}
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "StreamStatus": stream.status(self._streams.clock()),
            "StreamModeDetails": {"StreamMode": stream.mode},
            "RetentionPeriodHours": stream.retention_hours,
            "StreamCreationTimestamp": stream.created_at,
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
            **encryption,
        }

    def _list_streams(self, request: Request) -> Response:
        start = request.get("NextToken") or request.get("ExclusiveStartStreamName") or ""
        streams = [stream for stream in self._streams.all() if stream.name > start]
        limit = request.get("Limit", 100)
        page = streams[:limit]
        summaries = [self._description(stream) for stream in page]
        response: Response = {
            "StreamNames": [stream.name for stream in page],
            "HasMoreStreams": len(streams) > limit,
            "StreamSummaries": [{member: summary[member] for member in _LISTED} for summary in summaries],
        }
        return response | ({"NextToken": page[-1].name} if len(streams) > limit else {})
