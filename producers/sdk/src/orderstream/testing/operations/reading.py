"""GetShardIterator and GetRecords."""

from collections.abc import Callable
from typing import Final

from orderstream.testing.errors import KinesisError, invalid_argument, shard_not_found, throttled
from orderstream.testing.operations.family import OperationFamily
from orderstream.testing.operations.shapes import child_shape
from orderstream.testing.state.iterators import ShardIterator, decode, encode
from orderstream.testing.state.sequence import position_of
from orderstream.testing.state.shard import StoredRecord, StoredShard
from orderstream.testing.state.stream import Stream
from orderstream.testing.state.streams import Request, Response

_STARTS: Final = {
    "AT_SEQUENCE_NUMBER": "StartingSequenceNumber",
    "AFTER_SEQUENCE_NUMBER": "StartingSequenceNumber",
    "AT_TIMESTAMP": "Timestamp",
}
"""The member that a type of iterator needs; any other is refused beside it."""


class Reading(OperationFamily):
    """Hands records out."""

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """See ``OperationFamily``."""
        return {"GetShardIterator": self._get_iterator, "GetRecords": self._get_records}

    def stream_of(self, request: Request) -> str | None:
        """The stream of a request's iterator; None if it has none."""
        text = request.get("ShardIterator")
        return decode(text, ShardIterator, "ShardIterator").stream if text else None

    def shards_of(self, request: Request) -> set[str]:
        """The shard that a request reads."""
        if text := request.get("ShardIterator"):
            return {decode(text, ShardIterator, "ShardIterator").shard_id}
        return {request["ShardId"]} if "ShardId" in request else set()

    def _get_iterator(self, request: Request) -> Response:
        stream, now = self._streams.find(request), self._streams.clock()
        if not stream.is_there(now):
            raise shard_not_found(request["ShardId"], stream.name, stream.account)
        shard = stream.retained_shard(request["ShardId"], now)
        position = self.start(stream, shard, request, now)
        return {"ShardIterator": self._encoded(stream, shard, position)}

    def start(self, stream: Stream, shard: StoredShard, request: Request, now: float) -> int:
        """The position at which a reading of a shard begins, as a request for an iterator names it.

        Raises:
            KinesisError: InvalidArgumentException.
        """
        kind, end = request["ShardIteratorType"], shard.closed_position or stream.position
        needed = _STARTS.get(kind)
        for member in ("StartingSequenceNumber", "Timestamp"):
            if member == needed and member not in request:
                raise invalid_argument(f"Must specify {member} for an iterator of type {kind}.")
            if member != needed and member in request:
                raise invalid_argument(f"{member} cannot be given for an iterator of type {kind}.")
        match kind:
            case "TRIM_HORIZON":
                return shard.opened_position
            case "LATEST":
                return end
            case "AT_TIMESTAMP":
                at = float(request["Timestamp"])
                if at > now:
                    raise invalid_argument(
                        "The timestampInMillis parameter cannot be greater than the "
                        f"currentTimestampInMillis. timestampInMillis: {int(at * 1_000)}, "
                        f"currentTimestampInMillis: {int(now * 1_000)}"
                    )
                position = shard.position_at(at)
                return end if position is None else position
            case "AT_SEQUENCE_NUMBER":
                return self._numbered(stream, shard, request)
            case _:
                return self._numbered(stream, shard, request) + 1

    def _numbered(self, stream: Stream, shard: StoredShard, request: Request) -> int:
        text = request["StartingSequenceNumber"]
        position = position_of(text, stream.generation, "StartingSequenceNumber")
        last = shard.closed_position or stream.position
        if position is None or not shard.opened_position <= position <= last:
            raise invalid_argument(
                f"StartingSequenceNumber {text} used in GetShardIterator on shard {shard.shard_id} in stream "
                f"{stream.name} under account {stream.account} is invalid because it did not come from this "
                "stream."
            )
        return position

    def _get_records(self, request: Request) -> Response:
        limits, now = self._streams.limits, self._streams.clock()
        limit = min(request.get("Limit", limits.get_records), limits.get_records)
        iterator = decode(request["ShardIterator"], ShardIterator, "ShardIterator")
        stream = self._streams.named(iterator.stream)
        if iterator.generation != stream.generation:
            raise invalid_argument("Invalid ShardIterator.")
        if request.get("StreamARN", stream.arn) != stream.arn:
            raise invalid_argument(f"ShardIterator does not come from stream {request['StreamARN']}.")
        if not stream.is_there(now):
            raise shard_not_found(iterator.shard_id, stream.name, stream.account)
        self._demand_fresh(iterator, now)
        shard = stream.shard(iterator.shard_id)
        if limits.throttling and not shard.budget.read(now):
            raise throttled(shard.shard_id, stream.name, stream.account)
        shard.trim(stream.horizon(now))
        records = shard.read(iterator.position, limit, limits.get_bytes)
        shard.budget.has_read(sum(len(record.data) + len(record.partition_key) for record in records))
        position = records[-1].position + 1 if records else iterator.position
        waiting = shard.next_arrival(position)
        response: Response = {
            "Records": [record_shape(stream, record) for record in records],
            "MillisBehindLatest": 0 if waiting is None else max(int((now - waiting) * 1_000), 1),
        }
        if shard.is_open or waiting is not None:
            return response | {"NextShardIterator": self._encoded(stream, shard, position)}
        return response | {"ChildShards": [child_shape(child) for child in shard.children]}

    def _demand_fresh(self, iterator: ShardIterator, now: float) -> None:
        allowed = self._streams.limits.iterator_seconds
        if now - iterator.issued_at > allowed:
            raise KinesisError(
                "ExpiredIteratorException",
                f"Iterator expired. The iterator was created at time {iterator.issued_at} while right now it "
                f"is {now} which is further in the future than the tolerated delay of {int(allowed * 1_000)} "
                "milliseconds.",
            )

    def _encoded(self, stream: Stream, shard: StoredShard, position: int) -> str:
        return encode(
            ShardIterator(stream.name, stream.generation, shard.shard_id, position, self._streams.clock())
        )


def record_shape(stream: Stream, record: StoredRecord) -> Response:
    """A record with the members that AWS gives it: those that say nothing are left out."""
    shape: Response = {
        "SequenceNumber": record.sequence_number,
        "ApproximateArrivalTimestamp": record.arrived_at,
        "Data": record.data,
    }
    if record.partition_key:
        shape["PartitionKey"] = record.partition_key
    if stream.was_encrypted(record.position):
        shape["EncryptionType"] = "KMS"
    return shape
