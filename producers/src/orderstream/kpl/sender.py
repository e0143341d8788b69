"""Makes the calls to Kinesis and turns whatever comes of them into inputs of the core."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from orderstream.kpl.config import ProducerConfig
from orderstream.kpl.kinesis_record import KinesisRecord
from orderstream.kpl.messages import (
    MapFailed,
    MapLoaded,
    RequestCompleted,
    RequestFailed,
    SendPutRecords,
)
from orderstream.kpl.request_body import PLACEHOLDER, encode_body, ready_body, takes_ready_bodies
from orderstream.kpl.responses import (
    UnintelligibleResponseError,
    failure_of,
    results_of,
    shards_of,
)
from orderstream.kpl.shard_map import Shard

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient


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
        """Make a PutRecords call; it raises nothing, whatever comes back."""
        try:
            results = results_of(self._put(command.entries), len(command.entries))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the records must get an outcome
            return RequestFailed(command.request_id, failure_of(error))
        return RequestCompleted(command.request_id, results)

    def list_shards(self) -> MapLoaded | MapFailed:
        """Read the shard map, page by page; it raises nothing, whatever comes back."""
        try:
            return MapLoaded(self._all_shards())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the core must hear of it
            return MapFailed(failure_of(error))

    def _all_shards(self) -> list[Shard]:
        shards, token = shards_of(self._client.list_shards(**self._stream))
        read: set[str] = set()
        while token is not None:
            if token in read:
                raise UnintelligibleResponseError("the same NextToken came twice")
            read.add(token)
            # Kinesis refuses a token beside the stream's name or its ARN: the token names the stream.
            page, token = shards_of(self._client.list_shards(NextToken=token))
            shards += page
        return shards

    def _put(self, entries: Sequence[KinesisRecord]) -> object:
        if not self._ready_bodies:
            return self._client.put_records(Records=[_entry(record) for record in entries], **self._stream)
        with ready_body(encode_body(entries, self._stream)):
            return self._client.put_records(Records=PLACEHOLDER, **self._stream)


def _entry(record: KinesisRecord) -> dict[str, bytes | str]:
    entry: dict[str, bytes | str] = {"Data": record.data, "PartitionKey": record.partition_key}
    if record.explicit_hash_key is not None:
        entry["ExplicitHashKey"] = record.explicit_hash_key
    return entry
