"""One stream of the fake Kinesis, for simulated producers: written by the real sender, resharded, read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from orderstream.aggregation import deaggregate
from orderstream.kinesis.shard import Shard
from orderstream.producer.core.messages import MapLoaded, RequestCompleted, SendPutRecords
from orderstream.producer.outcome import Failure
from orderstream.producer.requests.sender import Sender
from orderstream.producer.requests.target import Target
from orderstream.testing import FakeKinesis, Limits

STREAM = "orders"


@dataclass
class Taken:
    """One Kinesis record in a shard.

    ``visible`` is False if every consumer drops it, by the rule of KCL's AggregatorUtil: it is an aggregate
    and one of its user records belongs into another shard.
    """

    user_records: list[tuple[bytes, int]]
    visible: bool


class SimulatedStream:
    """A stream in virtual time.

    Args:
        shards: How many it begins with.
        clock: The time, in seconds.
        throttling: Whether shards keep their limits per second.
    """

    def __init__(self, shards: int, clock: Callable[[], float], *, throttling: bool) -> None:
        self._fake = FakeKinesis(clock=clock, limits=Limits(throttling=throttling))
        client = self._fake.client()
        client.create_stream(StreamName=STREAM, ShardCount=shards)
        self._client = client
        self._sender = Sender(cast("Any", client), Target(STREAM, client))

    @property
    def shards(self) -> list[Shard]:
        """What ListShards answers now."""
        loaded = self._sender.list_shards()
        assert isinstance(loaded, MapLoaded)
        return list(loaded.shards)

    def reshard(self, random: Random) -> None:
        """Split or merge somewhere."""
        shards = sorted((shard for shard in self.shards if shard.is_open), key=lambda one: one.hash_range)
        index = random.randrange(len(shards))
        if len(shards) > 1 and random.random() < 0.5:
            index = min(index, len(shards) - 2)
            left, right = shards[index], shards[index + 1]
            self._client.merge_shards(
                StreamName=STREAM, ShardToMerge=left.shard_id, AdjacentShardToMerge=right.shard_id
            )
        elif len(shards) < 12:
            start, end = shards[index].hash_range
            at = start + (end - start) * random.randrange(1, 100) // 100 + 1
            self._client.split_shard(
                StreamName=STREAM, ShardToSplit=shards[index].shard_id, NewStartingHashKey=str(at)
            )

    def take(self, command: SendPutRecords, refused: Mapping[int, Failure]) -> RequestCompleted:
        """Carry out a request, some entries of which Kinesis refuses."""
        offered = [entry for index, entry in enumerate(command.entries) if index not in refused]
        if not offered:
            return RequestCompleted(command.request_id, list(refused.values()))
        completed = self._sender.put_records(SendPutRecords(command.request_id, offered))
        assert isinstance(completed, RequestCompleted), completed
        results = list(completed.results)
        for index, failure in sorted(refused.items()):
            results.insert(index, failure)
        return RequestCompleted(command.request_id, results)

    def log(self) -> dict[tuple[str, str], Taken]:
        """All that was taken, by shard and sequence number, in the order of arrival."""
        entries = []
        for shard in self.shards:
            for stored in self._fake.records(STREAM, shard.shard_id):
                deaggregated = deaggregate(stored.data, stored.partition_key)
                users = [(user.data, user.hash_key) for user in deaggregated.user_records]
                wrong_shard = deaggregated.aggregated and any(
                    not shard.hash_range.covers(key) for _, key in users
                )
                position = (shard.shard_id, stored.sequence_number)
                entries.append((stored.position, position, Taken(users, visible=not wrong_shard)))
        return {position: taken for _, position, taken in sorted(entries, key=lambda entry: entry[0])}
