"""Makes the calls to Kinesis and turns their outcomes into inputs of the core."""

from collections.abc import Sequence

from orderstream.kinesis.listing import list_pages, shards_of
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.messages import (
    MapFailed,
    MapLoaded,
    RequestCompleted,
    RequestFailed,
    SendPutRecords,
)
from orderstream.producer.outcome import Failure
from orderstream.producer.requests.request_body import (
    PLACEHOLDER,
    encode_body,
    ready_body,
    takes_ready_bodies,
)
from orderstream.producer.requests.responses import (
    failure_of,
    results_of,
)
from orderstream.producer.requests.target import KinesisCalls, Target


class Sender:
    """The two calls a producer makes, on one stream. Thread-safe as far as the client is; boto3's are.

    Args:
        client: A Kinesis client.
        target: The stream.
    """

    def __init__(self, client: KinesisCalls, target: Target) -> None:
        self._client = client
        self._stream = target.parameters
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
            pages = list_pages(self._client.list_shards, self._stream)
            return MapLoaded([shard for page in pages for shard in shards_of(page)])
        except BaseException as error:  # noqa: BLE001 - the core must learn of every outcome
            return MapFailed(failure_of(error))

    def check(self) -> Failure | None:
        """Ask for one shard; return how that failed, or None."""
        try:
            shards_of(self._client.list_shards(MaxResults=1, **self._stream))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller asked what is wrong
            return failure_of(error)
        return None

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
