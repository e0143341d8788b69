"""PutRecord and PutRecords."""

from collections.abc import Callable
from hashlib import md5
from typing import Any

from orderstream.testing.errors import KinesisError, invalid_argument, stream_not_found, throttled, validation
from orderstream.testing.faults import Faults
from orderstream.testing.resharding import MAX_HASH_KEY
from orderstream.testing.sequence import sequence_number
from orderstream.testing.shard import Shard
from orderstream.testing.stream import Stream
from orderstream.testing.streams import Streams

Request = dict[str, Any]
Answer = dict[str, Any]

_TRIM_EVERY = 10_000
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

    def operations(self) -> dict[str, Callable[[Request], Answer]]:
        """Each operation by its API name."""
        return {"PutRecord": self._put_record, "PutRecords": self._put_records}

    def shards_of(self, request: Request) -> set[str]:
        """The shards that a request's records go to."""
        entries = request.get("Records") or ([request] if "PartitionKey" in request else [])
        if not entries:
            return set()
        stream = self._streams.find(request)
        return {stream.shard_of(_hash_key(entry)).shard_id for entry in entries}

    def _put_record(self, request: Request) -> Answer:
        stream, now = self._opened(request)
        size = self._check(request, "")
        try:
            return self._take(stream, request, size, now, "PutRecord") | {"EncryptionType": "NONE"}
        finally:
            self._count(stream, 1, now)

    def _put_records(self, request: Request) -> Answer:
        stream, now = self._opened(request)
        limits = self._streams.limits
        entries = request["Records"]
        sizes = [
            self._check(entry, f"records.{place}.member.") for place, entry in enumerate(entries, start=1)
        ]
        if sum(sizes) > limits.put_bytes:
            raise invalid_argument(f"Records size exceeds {limits.put_bytes} bytes.")
        results: list[Answer] = []
        failed = 0
        for entry, size in zip(entries, sizes, strict=True):
            try:
                results.append(self._take(stream, entry, size, now, "PutRecords"))
            except KinesisError as error:
                failed += 1
                results.append({"ErrorCode": error.code, "ErrorMessage": error.message})
        self._count(stream, len(entries), now)
        return {"FailedRecordCount": failed, "Records": results, "EncryptionType": "NONE"}

    def _opened(self, request: Request) -> tuple[Stream, float]:
        stream, now = self._streams.find(request), self._streams.clock()
        if stream.status(now) == "CREATING":
            raise stream_not_found(stream.name, stream.account)
        return stream, now

    def _take(self, stream: Stream, entry: Request, size: int, now: float, operation: str) -> Answer:
        shard = stream.shard_of(_hash_key(entry))
        if fault := self._faults.strike_record(operation, stream.name, shard.shard_id):
            raise fault.to_error()
        self._demand_room(stream, shard, size, now)
        position = stream.append(shard, now, entry["Data"], entry["PartitionKey"])
        return {"ShardId": shard.shard_id, "SequenceNumber": sequence_number(position)}

    def _demand_room(self, stream: Stream, shard: Shard, size: int, now: float) -> None:
        if self._streams.limits.throttling and not shard.budget.write(size, now):
            raise throttled(shard.shard_id, stream.name, stream.account)

    def _check(self, entry: Request, where: str) -> int:
        key, limit = entry.get("PartitionKey"), self._streams.limits.record_bytes
        if key is None:
            # Optional only in streams whose records the service itself distributes.
            raise validation(f"{where}partitionKey", None, "not be null")
        size = len(entry["Data"]) + len(key.encode())
        if size > limit:
            raise validation(f"{where}data", f"[{size} bytes]", f"have length less than or equal to {limit}")
        _hash_key(entry)
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
