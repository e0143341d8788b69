"""GetShardIterator and GetRecords."""

from collections.abc import Callable
from typing import Any

from orderstream.testing.errors import KinesisError, invalid_argument, throttled, validation
from orderstream.testing.iterators import ShardIterator, decode, encode
from orderstream.testing.sequence import position_of, sequence_number
from orderstream.testing.shard import Shard
from orderstream.testing.stream import Stream
from orderstream.testing.streams import Streams, hash_key_range

Request = dict[str, Any]
Answer = dict[str, Any]


class Reading:
    """Hands records out.

    Args:
        streams: The streams.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def operations(self) -> dict[str, Callable[[Request], Answer]]:
        """Each operation by its API name."""
        return {"GetShardIterator": self._get_iterator, "GetRecords": self._get_records}

    def stream_of(self, request: Request) -> str | None:
        """The stream that a request's iterator stands in; None if it has none."""
        text = request.get("ShardIterator")
        return decode(text, ShardIterator, "ShardIterator").stream if text else None

    def shards_of(self, request: Request) -> set[str]:
        """The shard that a request reads."""
        if text := request.get("ShardIterator"):
            return {decode(text, ShardIterator, "ShardIterator").shard_id}
        return {request["ShardId"]} if "ShardId" in request else set()

    def _get_iterator(self, request: Request) -> Answer:
        stream = self._streams.find(request)
        shard = stream.retained_shard(request["ShardId"], self._streams.clock())
        position = self._start(stream, shard, request)
        return {"ShardIterator": self._encoded(stream, shard, position)}

    def _start(self, stream: Stream, shard: Shard, request: Request) -> int:
        end = shard.closed_position or stream.position
        match request.get("ShardIteratorType"):
            case "TRIM_HORIZON":
                return shard.opened_position
            case "LATEST":
                return end
            case "AT_TIMESTAMP":
                if request.get("Timestamp") is None:
                    raise invalid_argument("Must specify timestamp for AT_TIMESTAMP.")
                position = shard.position_at(float(request["Timestamp"]))
                return end if position is None else position
            case "AT_SEQUENCE_NUMBER":
                return self._numbered(stream, shard, request)
            case "AFTER_SEQUENCE_NUMBER":
                return self._numbered(stream, shard, request) + 1
            case other:
                kinds = "[AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"
                raise validation("shardIteratorType", other, f"satisfy enum value set: {kinds}")

    def _numbered(self, stream: Stream, shard: Shard, request: Request) -> int:
        text = request.get("StartingSequenceNumber")
        if text is None:
            raise invalid_argument("Must specify startingSequenceNumber for this type of iterator.")
        position = position_of(text)
        last = shard.closed_position or stream.position
        if not shard.opened_position <= position <= last:
            raise invalid_argument(
                f"StartingSequenceNumber {text} used in GetShardIterator on shard {shard.shard_id} in stream "
                f"{stream.name} under account {stream.account} is invalid because it did not come from this "
                "stream."
            )
        return position

    def _get_records(self, request: Request) -> Answer:
        limits, now = self._streams.limits, self._streams.clock()
        limit = int(request.get("Limit") or limits.get_records)
        if not 1 <= limit <= limits.get_records:
            raise validation("limit", limit, f"have value between 1 and {limits.get_records}")
        iterator = decode(request["ShardIterator"], ShardIterator, "ShardIterator")
        stream = self._streams.named(iterator.stream)
        if iterator.generation != stream.generation:
            raise invalid_argument("Invalid ShardIterator.")
        self._demand_fresh(iterator, now)
        shard = stream.shard(iterator.shard_id)
        if limits.throttling and not shard.budget.read(now):
            raise throttled(shard.shard_id, stream.name, stream.account)
        shard.trim(stream.horizon(now))
        records = shard.read(iterator.position, limit, limits.get_bytes)
        shard.budget.has_read(sum(len(record.data) + len(record.partition_key) for record in records))
        position = records[-1].position + 1 if records else iterator.position
        waiting = shard.next_arrival(position)
        answer: Answer = {
            "Records": [
                {
                    "SequenceNumber": sequence_number(record.position),
                    "ApproximateArrivalTimestamp": record.arrived_at,
                    "Data": record.data,
                    "PartitionKey": record.partition_key,
                    "EncryptionType": "NONE",
                }
                for record in records
            ],
            "MillisBehindLatest": 0 if waiting is None else max(int((now - waiting) * 1_000), 1),
        }
        if shard.is_open or waiting is not None:
            return answer | {"NextShardIterator": self._encoded(stream, shard, position)}
        return answer | {"ChildShards": [_child(child) for child in shard.children]}

    def _demand_fresh(self, iterator: ShardIterator, now: float) -> None:
        allowed = self._streams.limits.iterator_seconds
        if now - iterator.issued_at > allowed:
            raise KinesisError(
                "ExpiredIteratorException",
                f"Iterator expired. The iterator was created at time {iterator.issued_at} while right now it "
                f"is {now} which is further in the future than the tolerated delay of {int(allowed * 1_000)} "
                "milliseconds.",
            )

    def _encoded(self, stream: Stream, shard: Shard, position: int) -> str:
        return encode(
            ShardIterator(stream.name, stream.generation, shard.shard_id, position, self._streams.clock())
        )


def _child(shard: Shard) -> Answer:
    return {
        "ShardId": shard.shard_id,
        "ParentShards": list(shard.parents),
        "HashKeyRange": hash_key_range(shard),
    }
