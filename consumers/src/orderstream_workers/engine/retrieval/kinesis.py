"""The calls of Kinesis that the engine makes, in the engine's terms."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from orderstream.errors import DependencyError
from orderstream_workers.engine.errors import StreamGoneError
from orderstream_workers.engine.retrieval.calls import (
    Answer,
    Issued,
    IssueIterator,
    LookedUp,
    Read,
    ReadRecords,
    Refusal,
)
from orderstream_workers.engine.retrieval.moment import moment_before
from orderstream_workers.engine.retrieval.opening import HashRange, open_records
from orderstream_workers.engine.shard import Listing, Shard

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

_NO_ANSWER: Final = (BotoCoreError, ClientError, ResponseParserError)
"""What a call raises."""

_BELIEVED_FOR: Final = dt.timedelta(minutes=1)
"""How long a stream is taken to place records by their keys, after Kinesis said so."""

_INCOMPLETE: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What a response without its members, or with others in their place, leads to where it is taken apart."""


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

    def list_shards(self) -> Listing:
        """List all shards that are within retention, closed ones included.

        Raises:
            StreamGoneError: There is no such stream.
            DependencyError: Kinesis could not be reached, throttles, or its response is not whole.
        """
        shards: list[Shard] = []
        at: dt.datetime | None = None
        request: dict[str, Any] = {"StreamName": self._stream}
        try:
            while True:
                sent = self._now()
                answer = self._client.list_shards(**request)
                at = at or moment_before(answer, sent, self._now())
                shards += [_listed(shard) for shard in _list(answer["Shards"])]
                if not answer.get("NextToken"):
                    return Listing(_whole(shards), at)
                request = {"NextToken": answer["NextToken"]}
        except _NO_ANSWER as error:
            if _code(error) == "ResourceNotFoundException":
                raise StreamGoneError(self._stream) from error
            raise DependencyError("kinesis", "ListShards", str(error)) from error
        except _INCOMPLETE as error:
            raise DependencyError("kinesis", "ListShards", f"incomplete response: {error!r}") from error

    def look_up(self, shard_id: str) -> Answer:
        """Find one shard in the listing."""
        try:
            found = [shard for shard in self.list_shards().shards if shard.shard_id == shard_id]
        except StreamGoneError:
            return Refusal.STREAM_GONE
        except DependencyError as error:
            logger.warning("shard not looked up", extra={"shard_id": shard_id, "error": str(error)})
            return Refusal.UNREACHABLE
        return LookedUp(found[0] if found else None)

    def issue(self, shard_id: str, request: IssueIterator) -> Answer:
        """Call GetShardIterator."""
        parameters: dict[str, Any] = {"ShardIteratorType": request.kind}
        if request.sequence_number is not None:
            parameters["StartingSequenceNumber"] = str(request.sequence_number)
        if request.timestamp is not None:
            parameters["Timestamp"] = request.timestamp
        sent = self._now()
        try:
            answer = self._client.get_shard_iterator(StreamName=self._stream, ShardId=shard_id, **parameters)
            return Issued(_text(answer["ShardIterator"]), moment_before(answer, sent, self._now()))
        except _NO_ANSWER as error:
            by_position = request.sequence_number is not None
            invalid = Refusal.INVALID_POSITION if by_position else Refusal.UNREACHABLE
            return _refusal("GetShardIterator", shard_id, error, invalid)
        except _INCOMPLETE as error:
            return _refusal("GetShardIterator", shard_id, error)

    def read(self, shard_id: str, request: ReadRecords, hash_range: HashRange | None) -> Answer:
        """Call GetRecords and open the aggregates; see ``open_records`` for the hash range.

        On a stream that places records itself (AUTO) a partition key decides nothing: none is foreign.
        """
        sent = self._now()
        try:
            answer = self._client.get_records(ShardIterator=request.iterator, Limit=self._max_records)
            if not {"NextShardIterator", "MillisBehindLatest", "ChildShards"} & answer.keys():
                raise KeyError("NextShardIterator")
            records = _list(answer["Records"])
            opened = open_records(shard_id, records, done=request.done, hash_range=hash_range, read_at=sent)
            if opened.foreign_aggregates and self._keys_decide_nothing():
                opened = open_records(shard_id, records, done=request.done, hash_range=None, read_at=sent)
            return Read(
                opened,
                int(answer.get("MillisBehindLatest") or 0),
                answer.get("NextShardIterator"),
                _children(answer.get("ChildShards") or ()),
                moment_before(answer, sent, self._now()),
            )
        except _NO_ANSWER as error:
            # An iterator that is refused is of no use: the next one is issued where we stand.
            return _refusal("GetRecords", shard_id, error, Refusal.EXPIRED)
        except DependencyError as error:
            return _refusal("DescribeStreamSummary", shard_id, error)
        except _INCOMPLETE as error:
            return _refusal("GetRecords", shard_id, error)

    def _keys_decide_nothing(self) -> bool:
        """Whether the stream places records itself: asked before an aggregate is discarded.

        A stream that did once may still hold such aggregates, so that is not asked again.
        """
        now = self._now()
        if self._is_auto or (self._keyed_until is not None and now < self._keyed_until):
            return self._is_auto
        try:
            described = self._client.describe_stream_summary(StreamName=self._stream)
            summary: Mapping[str, Any] = described["StreamDescriptionSummary"]
            self._is_auto = summary.get("RecordDistributionStrategy") == "AUTO"
        except (*_NO_ANSWER, *_INCOMPLETE) as error:
            raise DependencyError("kinesis", "DescribeStreamSummary", repr(error)) from error
        self._keyed_until = now + _BELIEVED_FOR
        if self._is_auto:
            logger.warning("stream places records itself", extra={"stream": self._stream})
        return self._is_auto


def _refusal(
    operation: str, shard_id: str, error: Exception, invalid_argument: Refusal = Refusal.UNREACHABLE
) -> Refusal:
    code = _code(error)
    refusal = _REFUSALS.get(code, Refusal.UNREACHABLE)
    if code == "InvalidArgumentException":
        refusal = invalid_argument
    level = logging.WARNING if refusal in {Refusal.UNREACHABLE, Refusal.INVALID_POSITION} else logging.INFO
    logger.log(
        level,
        "kinesis gave nothing",
        extra={"operation": operation, "shard_id": shard_id, "code": code, "error": repr(error)},
    )
    return refusal


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "none"))
    return type(error).__name__


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"no text: {value!r}")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"no list: {value!r}")
    return value


def _whole(shards: list[Shard]) -> tuple[Shard, ...]:
    """Every stream has open shards; a listing without one would make all shards look gone."""
    if not any(shard.is_open for shard in shards):
        raise ValueError("no open shard is listed")
    return tuple(shards)


def _listed(description: Mapping[str, Any]) -> Shard:
    parents = (description.get("ParentShardId"), description.get("AdjacentParentShardId"))
    numbers = description["SequenceNumberRange"]
    ending = numbers.get("EndingSequenceNumber")
    return Shard(
        shard_id=_text(description["ShardId"]),
        starting_hash_key=int(description["HashKeyRange"]["StartingHashKey"]),
        ending_hash_key=int(description["HashKeyRange"]["EndingHashKey"]),
        parents=frozenset(parent for parent in parents if parent),
        is_open=ending is None,
        starting_sequence_number=int(numbers["StartingSequenceNumber"]),
        ending_sequence_number=None if ending is None else int(ending),
    )


def _children(descriptions: Iterable[Mapping[str, Any]]) -> tuple[Shard, ...]:
    return tuple(
        Shard(
            shard_id=_text(description["ShardId"]),
            starting_hash_key=int(description["HashKeyRange"]["StartingHashKey"]),
            ending_hash_key=int(description["HashKeyRange"]["EndingHashKey"]),
            parents=_parents(description),
        )
        for description in descriptions
    )


def _parents(description: Mapping[str, Any]) -> frozenset[str]:
    if not description["ParentShards"]:
        raise ValueError("a child without parents")
    return frozenset(description["ParentShards"])
