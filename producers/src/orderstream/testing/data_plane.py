"""The calls that write and read records."""

from collections.abc import Callable
from hashlib import md5

from orderstream.testing.account import Account, Request, Response, bounded, optional, required
from orderstream.testing.errors import KinesisError, invalid_argument, stream_not_found, throttled, validation
from orderstream.testing.iterators import ShardIterator, decode, encode
from orderstream.testing.resharding import MAX_HASH_KEY
from orderstream.testing.shard import Shard
from orderstream.testing.stream import Stream

RecordFault = Callable[[str, str], KinesisError | None]
"""Tells, from the stream's name and the shard's id, the error with which to refuse a record."""


def hash_key_of(record: Request) -> int:
    """The hash key of a record: its explicit one, or the MD5 of its partition key.

    Raises:
        KinesisError: InvalidArgumentException, if the explicit one is no number from 0 to 2^128-1.
    """
    explicit = record.get("ExplicitHashKey")
    if explicit is None:
        digest = md5(record["PartitionKey"].encode(), usedforsecurity=False).digest()
        return int.from_bytes(digest, "big")
    if not (explicit.isascii() and explicit.isdigit()) or int(explicit) > MAX_HASH_KEY:
        raise invalid_argument(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {explicit}"
        )
    return int(explicit)


def put_record(account: Account, request: Request, now: float, record_fault: RecordFault) -> Response:
    """PutRecord."""
    stream = account.usable_stream(request, now)
    size = _check_record(account, request, "")
    shard = stream.shard_for(hash_key_of(request))
    error = record_fault(stream.name, shard.shard_id) or _throttle(account, stream, shard, size, now)
    if error:
        raise error
    return {"ShardId": shard.shard_id, "SequenceNumber": _append(stream, shard, request, now)}


def put_records(account: Account, request: Request, now: float, record_fault: RecordFault) -> Response:
    """PutRecords: each record is taken or refused by itself."""
    stream = account.usable_stream(request, now)
    records = required(request, "Records", list)
    limits = account.limits
    if not 1 <= len(records) <= limits.put_records:
        raise validation(
            "records", f"[{len(records)} records]", f"have length between 1 and {limits.put_records}"
        )
    sizes = [
        _check_record(account, record, f"records.{index}.member.")
        for index, record in enumerate(records, start=1)
    ]
    if sum(sizes) > limits.put_bytes:
        raise invalid_argument(f"Records size exceeds {limits.put_bytes} bytes.")
    shards = [stream.shard_for(hash_key_of(record)) for record in records]
    results: list[Response] = []
    failed = 0
    for record, size, shard in zip(records, sizes, shards, strict=True):
        error = record_fault(stream.name, shard.shard_id) or _throttle(account, stream, shard, size, now)
        if error:
            failed += 1
            results.append({"ErrorCode": error.code, "ErrorMessage": error.message})
        else:
            sequence_number = _append(stream, shard, record, now)
            results.append({"SequenceNumber": sequence_number, "ShardId": shard.shard_id})
    return {"FailedRecordCount": failed, "Records": results}


def _check_record(account: Account, record: Request, path: str) -> int:
    """Check a record against the service model and return its size in bytes."""
    data, key = record.get("Data"), record.get("PartitionKey")
    if not isinstance(data, bytes):
        raise validation(f"{path}data", "null", "not be null")
    if not isinstance(key, str) or not 1 <= len(key) <= 256:
        raise validation(f"{path}partitionKey", key, "have length between 1 and 256")
    size = len(data) + (len(key) if key.isascii() else len(key.encode()))
    if size > account.limits.record_bytes:
        raise validation(
            f"{path}data", "...", f"have length less than or equal to {account.limits.record_bytes}"
        )
    return size


def _throttle(account: Account, stream: Stream, shard: Shard, size: int, now: float) -> KinesisError | None:
    if account.limits.throttling and not shard.budget.write(size, now):
        return throttled(shard.shard_id, stream.name, account.account_id)
    return None


def _append(stream: Stream, shard: Shard, record: Request, now: float) -> str:
    position = stream.next_position()
    shard.append(position, now, record["Data"], record["PartitionKey"])
    return stream.sequence_number(position, shard)


def get_shard_iterator(account: Account, request: Request, now: float) -> Response:
    """GetShardIterator, of all five types."""
    stream = account.usable_stream(request, now)
    shard = account.shard(stream, required(request, "ShardId", str), now)
    position = _starting_position(account, stream, shard, request, now)
    iterator = ShardIterator(stream.name, stream.generation, shard.shard_id, position, now)
    return {"ShardIterator": encode(iterator)}


def _starting_position(account: Account, stream: Stream, shard: Shard, request: Request, now: float) -> int:
    kind = required(request, "ShardIteratorType", str)
    if kind == "TRIM_HORIZON":
        return 0
    if kind == "LATEST":
        return stream.position + 1
    if kind == "AT_TIMESTAMP":
        found = shard.position_at(required_timestamp(request, now))
        return stream.position + 1 if found is None else found
    if kind not in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        raise validation("shardIteratorType", kind, "satisfy enum value set: the five iterator types")
    number = optional(request, "StartingSequenceNumber", str)
    if number is None:
        raise invalid_argument(f"Must either specify {kind} with StartingSequenceNumber, or another type.")
    position = stream.position_of(number, shard)
    if position is None:
        raise invalid_argument(
            f"StartingSequenceNumber {number} used in GetShardIterator on shard {shard.shard_id} in stream "
            f"{stream.name} under account {account.account_id} is invalid because it did not come from this shard."
        )
    return position if kind == "AT_SEQUENCE_NUMBER" else position + 1


def required_timestamp(request: Request, now: float) -> float:
    """A request's ``Timestamp``, in seconds since the epoch.

    Raises:
        KinesisError: InvalidArgumentException, if it is missing or lies in the future.
    """
    at = optional(request, "Timestamp", (int, float))
    if at is None:
        raise invalid_argument("Must specify a Timestamp with AT_TIMESTAMP or FROM_TIMESTAMP.")
    if at > now:
        raise invalid_argument(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
            f"timestampInMillis: {int(at * 1000)}, currentTimestampInMillis: {int(now * 1000)}"
        )
    return float(at)


def iterator_of(request: Request) -> ShardIterator:
    """The iterator that a GetRecords request carries.

    Raises:
        KinesisError: it is missing, or none of ours.
    """
    return decode(required(request, "ShardIterator", str), ShardIterator, "ShardIterator")


def get_records(account: Account, request: Request, now: float) -> Response:
    """GetRecords. At the end of a closed shard it names the children and gives no next iterator."""
    iterator = iterator_of(request)
    limits = account.limits
    limit = bounded(request, "Limit", limits.get_records, limits.get_records)
    stream = account.usable_stream({"StreamName": iterator.stream}, now)
    if stream.generation != iterator.generation:
        raise stream_not_found(iterator.stream, account.account_id)
    if now - iterator.issued_at > limits.iterator_seconds:
        raise KinesisError(
            "ExpiredIteratorException",
            f"Iterator expired. The iterator was created at time {iterator.issued_at:.3f} while right now it is "
            f"{now:.3f} which is further in the future than the tolerated delay of "
            f"{limits.iterator_seconds * 1000:.0f} milliseconds.",
        )
    shard = account.shard(stream, iterator.shard_id, now)
    if limits.throttling and not shard.budget.read(now):
        raise throttled(shard.shard_id, stream.name, account.account_id)
    shard.trim(stream.horizon(now))
    records = shard.read(iterator.position, limit, limits.get_bytes)
    shard.budget.has_read(sum(len(record.data) + len(record.partition_key) for record in records))
    # A position without records may lie ahead of the stream's: LATEST does.
    following = records[-1].position + 1 if records else iterator.position
    unread_since = shard.next_arrival(following)
    response: Response = {
        "Records": [
            {
                "SequenceNumber": stream.sequence_number(record.position, shard),
                "ApproximateArrivalTimestamp": record.arrived_at,
                "Data": record.data,
                "PartitionKey": record.partition_key,
            }
            for record in records
        ],
        # 0 means the tip, and only that, even while an injected clock stands still.
        "MillisBehindLatest": 0 if unread_since is None else max(1, int((now - unread_since) * 1000)),
    }
    if shard.is_open or unread_since is not None:
        response["NextShardIterator"] = encode(
            ShardIterator(stream.name, stream.generation, shard.shard_id, following, now)
        )
    else:
        response["ChildShards"] = [
            {
                "ShardId": child.shard_id,
                "ParentShards": list(child.parents),
                "HashKeyRange": {
                    "StartingHashKey": str(child.hash_range.start),
                    "EndingHashKey": str(child.hash_range.end),
                },
            }
            for child in shard.children
        ]
    return response
