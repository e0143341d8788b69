"""The calls of Kinesis that the engine makes, in the engine's terms."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from orderstream.aws import Refusals, UnreadableResponseError, aws_calls, no_refusals, required
from orderstream.errors import DependencyError, OrderstreamError
from orderstream.kinesis.listing import children_of, list_pages, shards_of
from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.embedded.retrieval.calls import (
    Issued,
    IssueIterator,
    LookedUp,
    Read,
    ReadRecords,
    Refusal,
    RetrievalResponse,
)
from orderstream_consumer.engines.embedded.retrieval.deaggregation import deaggregate_records
from orderstream_consumer.engines.embedded.retrieval.listing import Listing
from orderstream_consumer.engines.embedded.retrieval.moment import moment_before
from orderstream_consumer.processing.errors import StreamGoneError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

logger = logging.getLogger(__name__)

_REFUSALS: Final = {
    "ExpiredIteratorException": Refusal.EXPIRED,
    "ProvisionedThroughputExceededException": Refusal.THROTTLED,
    "LimitExceededException": Refusal.THROTTLED,
    "ThrottlingException": Refusal.THROTTLED,
    "ResourceNotFoundException": Refusal.GONE,
}

_BELIEVED_FOR: Final = dt.timedelta(minutes=1)
"""How long a stream is taken to distribute records by their keys, after Kinesis said so."""


class KinesisReader:
    """Reads one stream. Its methods may be called from any thread.

    A response that says nothing (not of the service, or a member is missing) is an outage: ``UNREACHABLE``,
    or a DependencyError.

    Args:
        client: A boto3 Kinesis client, best with botocore's own retries off.
        stream: The stream's name.
        max_records: Records of one GetRecords call.
        now: The time, with a zone.
    """

    def __init__(
        self, client: "KinesisClient", stream: str, *, max_records: int, now: Callable[[], dt.datetime]
    ) -> None:
        self._client = client
        self._stream = stream
        self._max_records = max_records
        self._now = now
        self._keyed_until: dt.datetime | None = None
        self._is_auto = False

    def now(self) -> dt.datetime:
        """The time by our clock."""
        return self._now()

    def list_shards(self, since: dt.datetime | None = None) -> Listing:
        """List all shards that are within retention, closed ones included.

        Args:
            since: When whatever the listing is compared with was looked at, by our clock; then the listing's
                moment is not after it. Now by default.

        Raises:
            StreamGoneError: There is no such stream.
            DependencyError: Kinesis could not be reached, throttles, or its response is not whole.
        """
        with self._calls("ListShards", self._stream_gone):
            sent = self._now()
            pages = list_pages(self._client.list_shards, {"StreamName": self._stream})
            first = next(pages)
            at = moment_before(first, since or sent, self._now())
            return Listing(_whole([shard for page in chain([first], pages) for shard in shards_of(page)]), at)

    def look_up(self, shard_id: str) -> RetrievalResponse:
        """Find one shard in the listing."""
        try:
            found = [shard for shard in self.list_shards().shards if shard.shard_id == shard_id]
        except StreamGoneError:
            return Refusal.STREAM_GONE
        except DependencyError as error:
            logger.warning("shard not looked up", extra={"shard_id": shard_id, "error": error})
            return Refusal.UNREACHABLE
        return LookedUp(found[0] if found else None)

    def issue(self, shard_id: str, request: IssueIterator) -> RetrievalResponse:
        """Call GetShardIterator."""
        parameters: dict[str, Any] = {"ShardIteratorType": request.kind}
        if request.sequence_number is not None:
            parameters["StartingSequenceNumber"] = str(request.sequence_number)
        if request.timestamp is not None:
            parameters["Timestamp"] = request.timestamp
        sent = self._now()
        try:
            with self._calls("GetShardIterator"):
                response = self._client.get_shard_iterator(
                    StreamName=self._stream, ShardId=shard_id, **parameters
                )
                iterator = required(response, "ShardIterator", str)
                return Issued(iterator, moment_before(response, sent, self._now()))
        except OrderstreamError as error:
            by_position = request.sequence_number is not None
            invalid = Refusal.INVALID_POSITION if by_position else Refusal.UNREACHABLE
            return _refusal("GetShardIterator", shard_id, error, invalid)

    def read(self, shard_id: str, request: ReadRecords, hash_range: HashRange | None) -> RetrievalResponse:
        """Call GetRecords and open the aggregates; see ``deaggregate_records`` for the hash range.

        On a stream that distributes records itself (AUTO) a partition key decides nothing: no shard is wrong.
        """
        sent = self._now()
        try:
            with self._calls("GetRecords"):
                response = self._client.get_records(ShardIterator=request.iterator, Limit=self._max_records)
                records = required(response, "Records", list)
                deaggregated = deaggregate_records(
                    shard_id, records, done=request.done, hash_range=hash_range, read_at=sent
                )
                if deaggregated.wrong_shard_aggregates and self._keys_decide_nothing():
                    deaggregated = deaggregate_records(
                        shard_id, records, done=request.done, hash_range=None, read_at=sent
                    )
                return Read(
                    deaggregated,
                    int(response.get("MillisBehindLatest") or 0),
                    _next_iterator(response),
                    children_of(response),
                    moment_before(response, sent, self._now()),
                )
        except OrderstreamError as error:
            # An iterator that is refused is of no use: the next one is issued at the present position.
            return _refusal("GetRecords", shard_id, error, Refusal.EXPIRED)

    def _calls(self, operation: str, refusals: Refusals = no_refusals) -> AbstractContextManager[None]:
        return aws_calls("kinesis", operation, client=self._client, resource=self._stream, refusals=refusals)

    def _stream_gone(self, code: str, _error: ClientError) -> Exception | None:
        return StreamGoneError(self._stream) if code == "ResourceNotFoundException" else None

    def _keys_decide_nothing(self) -> bool:
        """Whether the stream distributes records itself: asked before an aggregate is discarded.

        A stream that did once may still hold such aggregates, so that is not asked again.
        """
        now = self._now()
        if self._is_auto or (self._keyed_until is not None and now < self._keyed_until):
            return self._is_auto
        with self._calls("DescribeStreamSummary"):
            response = self._client.describe_stream_summary(StreamName=self._stream)
            summary: Mapping[str, Any] = required(response, "StreamDescriptionSummary", dict)
            self._is_auto = summary.get("RecordDistributionStrategy") == "AUTO"
        self._keyed_until = now + _BELIEVED_FOR
        if self._is_auto:
            logger.warning("stream distributes records itself", extra={"stream": self._stream})
        return self._is_auto


def _refusal(operation: str, shard_id: str, error: OrderstreamError, invalid_argument: Refusal) -> Refusal:
    """What a failed call means to the shard; the failure of another call on its way is an outage."""
    asked = isinstance(error, DependencyError) and error.operation == operation
    code = error.code if isinstance(error, DependencyError) else ""
    refusal = _REFUSALS.get(code, Refusal.UNREACHABLE) if asked else Refusal.UNREACHABLE
    if asked and code == "InvalidArgumentException":
        refusal = invalid_argument
    level = logging.WARNING if refusal in {Refusal.UNREACHABLE, Refusal.INVALID_POSITION} else logging.INFO
    logger.log(
        level,
        "kinesis gave nothing",
        extra={"operation": operation, "shard_id": shard_id, "code": code, "error": error},
    )
    return refusal


def _next_iterator(response: Mapping[str, Any]) -> str | None:
    """Where to read on; a response that says neither this nor anything of the shard's end is not whole."""
    if not {"NextShardIterator", "MillisBehindLatest", "ChildShards"} & response.keys():
        raise UnreadableResponseError("its response has no NextShardIterator")
    return required(response, "NextShardIterator", str) if response.get("NextShardIterator") else None


def _whole(shards: list[Shard]) -> tuple[Shard, ...]:
    """Every stream has open shards; a listing without one would make all shards look gone."""
    if not any(shard.is_open for shard in shards):
        raise UnreadableResponseError("no open shard is listed")
    return tuple(shards)
