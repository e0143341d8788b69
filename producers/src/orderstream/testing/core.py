"""The fake without its shells: a request and a time go in, an answer comes out."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from orderstream.testing import control_plane, data_plane, listing
from orderstream.testing.account import Account, Request, Response, stream_name
from orderstream.testing.errors import KinesisError
from orderstream.testing.faults import FaultKind, Faults

Handler = Callable[[Account, Request, float], Response]

_HANDLERS: dict[str, Handler] = {
    "AddTagsToStream": control_plane.add_tags,
    "CreateStream": control_plane.create_stream,
    "DecreaseStreamRetentionPeriod": control_plane.decrease_retention,
    "DeleteStream": control_plane.delete_stream,
    "DescribeStream": listing.describe_stream,
    "DescribeStreamSummary": listing.describe_stream_summary,
    "GetRecords": data_plane.get_records,
    "GetShardIterator": data_plane.get_shard_iterator,
    "IncreaseStreamRetentionPeriod": control_plane.increase_retention,
    "ListShards": listing.list_shards,
    "ListStreams": listing.list_streams,
    "ListTagsForStream": control_plane.list_tags,
    "MergeShards": control_plane.merge_shards,
    "RemoveTagsFromStream": control_plane.remove_tags,
    "SplitShard": control_plane.split_shard,
    "UpdateShardCount": control_plane.update_shard_count,
}
_WRITERS = {"PutRecord": data_plane.put_record, "PutRecords": data_plane.put_records}

OPERATIONS = frozenset(_HANDLERS) | frozenset(_WRITERS)
"""The API names of the calls that are answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of a call.

    Attributes:
        body: The result; empty if there is an error.
        error: The error instead of a result.
        delay: How late the answer is to be given, in seconds.
        lost: If set, the call took effect but the caller hears nothing: the name of the exception of
            ``botocore.exceptions`` that boto3 would raise.
    """

    body: Response
    error: KinesisError | None = None
    delay: float = 0.0
    lost: str | None = None


class KinesisCore:
    """Streams, faults and counters behind one function. Not thread-safe: its shells see to that.

    Args:
        account: The streams.
        faults: What is to go wrong.

    Attributes:
        calls: How often each operation was called, whatever came of it.
        errors: How often each error was answered, refused records included.
    """

    def __init__(self, account: Account, faults: Faults) -> None:
        self.account = account
        self.faults = faults
        self.calls: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    def call(self, operation: str, request: Request, now: float) -> Answer:
        """Take a call.

        Args:
            operation: Its API name, e.g. ``"PutRecords"``.
            request: Its parameters under their API names; blobs as bytes, times in seconds since the epoch.
            now: The time, in seconds since the epoch.
        """
        self.calls[operation] += 1
        stream = self._stream_of(operation, request)
        strike = partial(
            self.faults.strike,
            operation=operation,
            stream=stream,
            shards=partial(self._shards_of, operation, request, now),
        )
        late = strike(FaultKind.DELAY)
        delay = late.seconds if late else 0.0
        rejected = strike(FaultKind.REJECT)
        if rejected:
            return self._refuse(rejected.to_error(), delay)
        lost = strike(FaultKind.LOSE_ANSWER)
        try:
            body = self._handle(operation, request, now)
        except KinesisError as error:
            return self._refuse(error, delay, lost.code if lost else None)
        for result in body.get("Records", ()) if body.get("FailedRecordCount") else ():
            if "ErrorCode" in result:
                self.errors[result["ErrorCode"]] += 1
        return Answer(body, delay=delay, lost=lost.code if lost else None)

    def _handle(self, operation: str, request: Request, now: float) -> Response:
        writer = _WRITERS.get(operation)
        if writer:
            return writer(self.account, request, now, partial(self._record_fault, operation))
        handler = _HANDLERS.get(operation)
        if handler:
            return handler(self.account, request, now)
        raise KinesisError(
            "UnknownOperationException",
            f"{operation or 'No operation'} is not one that this fake answers; it knows {', '.join(sorted(OPERATIONS))}.",
        )

    def _refuse(self, error: KinesisError, delay: float, lost: str | None = None) -> Answer:
        self.errors[error.code] += 1
        return Answer({}, error, delay, lost)

    def _record_fault(self, operation: str, stream: str, shard_id: str) -> KinesisError | None:
        fault = self.faults.strike_record(operation, stream, shard_id)
        return fault.to_error() if fault else None

    @staticmethod
    def _stream_of(operation: str, request: Request) -> str | None:
        try:
            if operation == "GetRecords":
                return data_plane.iterator_of(request).stream
            return stream_name(request)
        except KinesisError:
            return None  # the call itself says what is wrong with it, if anything is

    def _shards_of(self, operation: str, request: Request, now: float) -> Collection[str]:
        """The shards that a call touches, for faults that are about one."""
        try:
            if operation == "GetRecords":
                return {data_plane.iterator_of(request).shard_id}
            if operation in _WRITERS:
                stream = self.account.stream(request, now)
                records = request["Records"] if operation == "PutRecords" else [request]
                return {stream.shard_for(data_plane.hash_key_of(record)).shard_id for record in records}
        except KinesisError:
            return ()  # as above
        named = ("ShardId", "ShardToSplit", "ShardToMerge", "AdjacentShardToMerge")
        return {request[member] for member in named if member in request}
