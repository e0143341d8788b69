"""Makes the calls to Kinesis and turns whatever comes of them into inputs of the core."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from orderstream.kpl.config import ProducerConfig
from orderstream.kpl.kinesis_record import KinesisRecord
from orderstream.kpl.messages import (
    Failure,
    MapFailed,
    MapLoaded,
    RequestCompleted,
    RequestFailed,
    SendPutRecords,
)
from orderstream.kpl.outcome import Acknowledged
from orderstream.kpl.request_body import PLACEHOLDER, encode_body, ready_body, takes_ready_bodies
from orderstream.kpl.retrier import is_retryable
from orderstream.kpl.shard_map import HashRange, Shard

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

# Out of reach, answer lost on the way, answer unreadable: the next call may fare better.
_TRANSIENT_ERRORS = (
    HTTPClientError,
    BotoConnectionError,
    CredentialRetrievalError,
    ResponseParserError,
    OSError,
)


def kinesis_client(config: ProducerConfig, session: boto3.Session | None = None) -> "KinesisClient":
    """Build the boto3 client a producer works best with: no retries of its own, short timeouts.

    Args:
        config: The producer's settings.
        session: Where credentials come from; a new session by default.

    Returns:
        The client.
    """
    # boto3.client() would share the default session, whose creation of clients is not thread-safe.
    return (session or boto3.Session()).client(
        "kinesis",
        region_name=config.region_name,
        endpoint_url=config.endpoint_url,
        config=Config(
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            retries={"total_max_attempts": 1},
            max_pool_connections=config.max_in_flight_requests + 1,
        ),
    )


class Sender:
    """The two calls a producer makes, on one stream. Thread-safe as far as the client is; boto3's are.

    Args:
        client: A Kinesis client.
        stream: The stream's name or ARN.
    """

    def __init__(self, client: "KinesisClient", stream: str) -> None:
        # The generated types want literal keyword arguments; the stream is addressed by either of two.
        self._client: Any = client
        self._stream = {"StreamARN" if stream.startswith("arn:") else "StreamName": stream}
        self._ready_bodies = takes_ready_bodies(client)

    def put_records(self, command: SendPutRecords) -> RequestCompleted | RequestFailed:
        """Make a PutRecords call."""
        try:
            answer = self._put(command.entries)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the records must get an outcome
            return RequestFailed(command.request_id, _failure(error))
        results = tuple(map(_result, answer["Records"]))
        if len(results) != len(command.entries):
            message = f"{len(results)} results for {len(command.entries)} entries"
            return RequestFailed(command.request_id, Failure("UnintelligibleAnswer", message, retryable=True))
        return RequestCompleted(command.request_id, results)

    def list_shards(self) -> MapLoaded | MapFailed:
        """Read the shard map, page by page."""
        shards: list[Shard] = []
        request: dict[str, str] = self._stream
        try:
            while True:
                page = self._client.list_shards(**request)
                shards += map(_shard, page["Shards"])
                token = page.get("NextToken")
                if not token:
                    return MapLoaded(shards)
                # Kinesis refuses a stream's name beside a token, but not its ARN.
                request = {key: value for key, value in self._stream.items() if key == "StreamARN"}
                request["NextToken"] = token
        except BaseException as error:  # noqa: BLE001 - whatever it is, the core must hear of it
            return MapFailed(_failure(error))

    def _put(self, entries: Sequence[KinesisRecord]) -> dict[str, Any]:
        answer: dict[str, Any]
        if not self._ready_bodies:
            answer = self._client.put_records(Records=[_entry(record) for record in entries], **self._stream)
            return answer
        with ready_body(encode_body(entries, self._stream)):
            answer = self._client.put_records(Records=PLACEHOLDER, **self._stream)
        return answer


def _entry(record: KinesisRecord) -> dict[str, bytes | str]:
    entry: dict[str, bytes | str] = {"Data": record.data, "PartitionKey": record.partition_key}
    if record.explicit_hash_key is not None:
        entry["ExplicitHashKey"] = record.explicit_hash_key
    return entry


def _result(entry: dict[str, str]) -> Acknowledged | Failure:
    code = entry.get("ErrorCode")
    if code:
        return Failure(code, entry.get("ErrorMessage", ""), is_retryable(code))
    return Acknowledged(entry["ShardId"], entry["SequenceNumber"])


def _shard(shard: dict[str, Any]) -> Shard:
    hash_range = shard["HashKeyRange"]
    parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return Shard(
        shard["ShardId"],
        HashRange(int(hash_range["StartingHashKey"]), int(hash_range["EndingHashKey"])),
        closed="EndingSequenceNumber" in shard["SequenceNumberRange"],
        parents=tuple(parent for parent in parents if parent),
    )


def _failure(error: BaseException) -> Failure:
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "Unknown")
        message = error.response.get("Error", {}).get("Message", "")
        # Outside AWS, proxies and load balancers answer with bare status codes.
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return Failure(code, message, is_retryable(code) or status >= 500)
    # The rest say that the request cannot even be made: wrong parameters, no credentials, a defect.
    return Failure(type(error).__name__, str(error), isinstance(error, _TRANSIENT_ERRORS))
