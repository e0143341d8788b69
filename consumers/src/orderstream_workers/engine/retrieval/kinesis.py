"""The calls of Kinesis that the engine makes, in the engine's terms."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from orderstream.errors import DependencyError
from orderstream_workers.engine.retrieval.opening import HashRange, open_records
from orderstream_workers.engine.retrieval.polling import (
    Answer,
    Issued,
    IssueIterator,
    Read,
    ReadRecords,
    Refusal,
)
from orderstream_workers.engine.shard import Shard

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

logger = logging.getLogger(__name__)

_REFUSALS = {
    "ExpiredIteratorException": Refusal.EXPIRED,
    "ProvisionedThroughputExceededException": Refusal.THROTTLED,
    "LimitExceededException": Refusal.THROTTLED,
    "ThrottlingException": Refusal.THROTTLED,
    "ResourceNotFoundException": Refusal.GONE,
}


class KinesisReader:
    """Reads one stream. Its methods may be called from any thread.

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

    def list_shards(self) -> list[Shard]:
        """List all shards that are within retention, closed ones included.

        Raises:
            DependencyError: Kinesis could not be reached, or throttles.
        """
        shards: list[Shard] = []
        request: dict[str, Any] = {"StreamName": self._stream}
        try:
            while True:
                answer = self._client.list_shards(**request)
                shards += [_listed(shard) for shard in answer["Shards"]]
                if not answer.get("NextToken"):
                    return shards
                request = {"NextToken": answer["NextToken"]}
        except (BotoCoreError, ClientError) as error:
            raise DependencyError("kinesis", "ListShards", str(error)) from error

    def issue(self, shard_id: str, request: IssueIterator) -> Answer:
        """Call GetShardIterator."""
        parameters: dict[str, Any] = {"ShardIteratorType": request.kind}
        if request.sequence_number is not None:
            parameters["StartingSequenceNumber"] = str(request.sequence_number)
        if request.timestamp is not None:
            parameters["Timestamp"] = request.timestamp
        at = self._now()
        try:
            answer = self._client.get_shard_iterator(StreamName=self._stream, ShardId=shard_id, **parameters)
        except (BotoCoreError, ClientError) as error:
            return self._refusal("GetShardIterator", shard_id, error)
        return Issued(answer["ShardIterator"], at)

    def read(self, shard_id: str, request: ReadRecords, hash_range: HashRange | None) -> Answer:
        """Call GetRecords and open the aggregates; see ``open_records`` for the hash range."""
        try:
            answer = self._client.get_records(ShardIterator=request.iterator, Limit=self._max_records)
        except (BotoCoreError, ClientError) as error:
            return self._refusal("GetRecords", shard_id, error)
        return Read(
            open_records(shard_id, answer["Records"], done=request.done, hash_range=hash_range),
            answer.get("MillisBehindLatest", 0),
            answer.get("NextShardIterator"),
            _children(answer.get("ChildShards", ())),
        )

    def _refusal(self, operation: str, shard_id: str, error: Exception) -> Refusal:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        refusal = _REFUSALS.get(code, Refusal.UNREACHABLE)
        if refusal is Refusal.GONE and self._may_exist(shard_id):
            refusal = Refusal.UNREACHABLE
        logger.log(
            logging.WARNING if refusal is Refusal.UNREACHABLE else logging.INFO,
            "kinesis gave nothing",
            extra={"operation": operation, "shard_id": shard_id, "code": code, "error": str(error)},
        )
        return refusal

    def _may_exist(self, shard_id: str) -> bool:
        """Ask twice before a shard is given up: it would be checkpointed as ended."""
        try:
            return any(shard.shard_id == shard_id for shard in self.list_shards())
        except DependencyError:
            return True


def _listed(description: Mapping[str, Any]) -> Shard:
    parents = (description.get("ParentShardId"), description.get("AdjacentParentShardId"))
    return Shard(
        shard_id=description["ShardId"],
        starting_hash_key=int(description["HashKeyRange"]["StartingHashKey"]),
        ending_hash_key=int(description["HashKeyRange"]["EndingHashKey"]),
        parents=frozenset(parent for parent in parents if parent),
        is_open="EndingSequenceNumber" not in description["SequenceNumberRange"],
    )


def _children(descriptions: Iterable[Mapping[str, Any]]) -> tuple[Shard, ...]:
    return tuple(
        Shard(
            shard_id=description["ShardId"],
            starting_hash_key=int(description["HashKeyRange"]["StartingHashKey"]),
            ending_hash_key=int(description["HashKeyRange"]["EndingHashKey"]),
            parents=frozenset(description["ParentShards"]),
        )
        for description in descriptions
    )
