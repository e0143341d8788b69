"""PutRecord and PutRecords."""

from collections.abc import Callable
from hashlib import md5
from typing import Final

from orderstream.aggregation import MAX_HASH_KEY
from orderstream.testing.errors import KinesisError, invalid_argument, throttled, validation
from orderstream.testing.faults import Faults
from orderstream.testing.state.sequence import position_of
from orderstream.testing.state.shard import StoredShard
from orderstream.testing.state.stream import AUTO, Stream
from orderstream.testing.state.streams import Request, Response, Streams

_TRIM_EVERY: Final = 10_000
"""Records between two looks at what is past retention."""


class Writing:
    """Takes records.

    Args:
        streams: The streams.
        faults: Faults that refuse single records.
    """

    def __init__(self, streams: Streams, faults: Faults) -> None:
        self._streams = streams
        self._faults = faults
        self._until_trim = _TRIM_EVERY

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """Each operation by its API name."""
        return {"PutRecord": self._put_record, "PutRecords": self._put_records}

    def shards_of(self, request: Request) -> set[str]:
        """The shards that a request's records go to."""
        entries = request.get("Records") or ([request] if "Data" in request else [])
        if not entries:
            return set()
        stream = self._streams.usable(request)
        if stream.distribution == AUTO:
            return {shard.shard_id for shard in stream.open_shards}
        return {stream.shard_of(_hash_key(entry)).shard_id for entry in entries}

    def _put_record(self, request: Request) -> Response:
        stream, now = self._streams.usable(request), self._streams.clock()
        size = self._check(stream, request, "")
        if (before := request.get("SequenceNumberForOrdering")) is not None:
            _demand_earlier(stream, before)
        try:
            return self._take(stream, request, size, now, "PutRecord") | _encryption(stream)
        finally:
            self._count(stream, 1, now)

    def _put_records(self, request: Request) -> Response:
        stream, now = self._streams.usable(request), self._streams.clock()
        limits = self._streams.limits
        entries = request["Records"]
        sizes = [
            self._check(stream, entry, f"records.{number}.member.")
            for number, entry in enumerate(entries, start=1)
        ]
        if sum(sizes) > limits.put_bytes:
            raise invalid_argument(f"Records size exceeds {limits.put_bytes} bytes.")
        results: list[Response] = []
        failed = 0
        for entry, size in zip(entries, sizes, strict=True):
            try:
                results.append(self._take(stream, entry, size, now, "PutRecords"))
            except KinesisError as error:
                failed += 1
                results.append({"ErrorCode": error.code, "ErrorMessage": error.message})
        self._count(stream, len(entries), now)
        return {"FailedRecordCount": failed, "Records": results, **_encryption(stream)}

    def _take(self, stream: Stream, entry: Request, size: int, now: float, operation: str) -> Response:
        shard = stream.next_shard() if stream.distribution == AUTO else stream.shard_of(_hash_key(entry))
        if fault := self._faults.strike_record(operation, stream.name, shard.shard_id):
            raise fault.to_error()
        self._demand_room(stream, shard, size, now)
        position = stream.append(shard, now, entry["Data"], entry.get("PartitionKey", ""))
        return {"ShardId": shard.shard_id, "SequenceNumber": shard.sequence_number(position)}

    def _demand_room(self, stream: Stream, shard: StoredShard, size: int, now: float) -> None:
        if self._streams.limits.throttling and not shard.budget.write(size, now):
            raise throttled(shard.shard_id, stream.name, stream.account)

    def _check(self, stream: Stream, entry: Request, where: str) -> int:
        key = entry.get("PartitionKey")
        if stream.distribution != AUTO:
            if key is None:
                raise validation(f"{where}partitionKey", None, "not be null")
            _hash_key(entry)
        size, limit = len(entry["Data"]) + len((key or "").encode()), stream.max_record_bytes
        if size > limit:
            raise validation(f"{where}data", f"[{size} bytes]", f"have length less than or equal to {limit}")
        return size

    def _count(self, stream: Stream, records: int, now: float) -> None:
        self._until_trim -= records
        if self._until_trim <= 0:
            self._until_trim = _TRIM_EVERY
            stream.trim(now)


def _hash_key(entry: Request) -> int:
    explicit = entry.get("ExplicitHashKey")
    if explicit is None:
        return int.from_bytes(md5(entry["PartitionKey"].encode(), usedforsecurity=False).digest(), "big")
    if int(explicit) > MAX_HASH_KEY:
        raise invalid_argument(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {explicit}"
        )
    return int(explicit)


def _encryption(stream: Stream) -> Response:
    """What AWS adds to the response where a stream is encrypted, and leaves out where it is not."""
    return {"EncryptionType": "KMS"} if stream.key_id else {}


def _demand_earlier(stream: Stream, text: str) -> None:
    position = position_of(text, stream.generation, "SequenceNumberForOrdering")
    if position is None or position >= stream.position:
        raise invalid_argument(
            f"SequenceNumberForOrdering {text} is none that stream {stream.name} under account "
            f"{stream.account} has given."
        )
