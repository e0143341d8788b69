"""A live stream becomes a profile."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orderstream.aggregation import UserRecord
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.testing import FakeKinesis, Fault, Limits
from shard_sizing.errors import InputError
from shard_sizing.live.measure import measure
from shard_sizing.live.polling import Poller
from shard_sizing.model.data_files import load_limits
from shard_sizing.model.workload.measured import Measured

LIMITS = load_limits()
BEGAN = 1_700_000_000.0


class World:
    """A stream, and a clock that writes to it as it goes: ``write`` is called for every tenth of a second."""

    def __init__(self, write: Callable[[Any, int], None], shards: int = 2) -> None:
        self.now = BEGAN - 0.5
        self.kinesis = FakeKinesis(limits=Limits(throttling=False), clock=lambda: self.now)
        self.client = self.kinesis.client()
        self.client.create_stream(StreamName="orders", ShardCount=shards)
        self._write = write
        self._tenths = 0

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(max(1, round(seconds * 10))):
            self.now = round(self.now + 0.1, 1)
            self._write(self.client, self._tenths)
            self._tenths += 1

    def measure(self, seconds: float = 5) -> Measured:
        """Measure the stream while it is written to."""
        poller = Poller(self.client, "orders", lambda: self.now, self.sleep)
        return measure("orders", poller, poller.read(seconds), LIMITS, None)


def put(client: Any, key: str, data: bytes = b"x" * 90) -> None:
    client.put_record(StreamName="orders", PartitionKey=key, Data=data)


def test_every_record_of_the_time_is_counted_on_its_shard() -> None:
    """Ten keys take turns: rates, bytes, keys and each shard's seconds are those that were written."""
    found = World(lambda client, tenth: put(client, f"key-{tenth % 10}")).measure()
    assert found.kinesis is not None
    assert (found.records, found.kinesis.records, found.keys, found.rate) == (50, 50, 10, 10.0)
    assert found.record_bytes == 95
    assert sum(shard.records.mean for shard in found.shards) == pytest.approx(10.0)
    assert sum(shard.bytes.mean for shard in found.shards) == pytest.approx(950.0)
    assert found.hash_load is not None
    assert sum(found.hash_load.records) == pytest.approx(1.0, abs=1e-3)
    assert sum(found.hash_load.bytes) == pytest.approx(1.0, abs=1e-3)


def test_aggregates_are_opened_and_never_counted_as_one_key() -> None:
    """The limit counts Kinesis records; keys, rate and hash load are those of the user records."""
    packed = encode_aggregate([UserRecord(f"order-{i}", b"x" * 50) for i in range(20)])
    found = World(lambda client, tenth: put(client, "a", packed)).measure()
    assert found.kinesis is not None
    assert (found.records, found.kinesis.records, found.aggregated) == (1_000, 50, 1.0)
    assert {hot.key for hot in found.hot_keys} == {f"order-{i}" for i in range(20)}
    assert sum(shard.records.mean for shard in found.shards) == pytest.approx(10.0)


def test_a_shard_over_its_limit_is_told() -> None:
    """One key takes more than a shard gives: that shard, and no other, is beyond its limit."""

    def write(client: Any, tenth: int) -> None:
        put(client, "hot", b"x" * 150_000)
        put(client, f"key-{tenth}")

    found = World(write, shards=4).measure()
    assert [shard.used_p99 > 1 for shard in found.shards].count(True) == 1
    assert found.busiest.used_max == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize("change", ["split", "merge"])
def test_a_reshard_under_way_loses_and_repeats_nothing(change: str) -> None:
    """The children of a shard that ends are read from their first record on, a merged one once."""

    def write(client: Any, tenth: int) -> None:
        put(client, f"key-{tenth}")
        shards = client.list_shards(StreamName="orders")["Shards"]
        if tenth == 20 and change == "split":
            client.split_shard(
                StreamName="orders", ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str(2**126)
            )
        if tenth == 20 and change == "merge":
            first, second = (shard["ShardId"] for shard in shards)
            client.merge_shards(StreamName="orders", ShardToMerge=first, AdjacentShardToMerge=second)

    found = World(write).measure()
    assert (found.records, found.keys, len(found.shards)) == (50, 50, 4 if change == "split" else 3)


def test_a_measurement_looks_back_within_retention() -> None:
    """Ten seconds that are past, on a shard that was split since: every record once, over the true span."""

    def write(client: Any, tenth: int) -> None:
        if 10 <= tenth < 210:
            put(client, f"key-{tenth}")
        if tenth == 60:
            shard = client.list_shards(StreamName="orders")["Shards"][0]
            client.split_shard(
                StreamName="orders", ShardToSplit=shard["ShardId"], NewStartingHashKey=str(2**126)
            )

    world = World(write)
    world.sleep(300)
    since = int(BEGAN) + 5
    poller = Poller(world.client, "orders", lambda: world.now, world.sleep, since=since)
    found = measure("orders", poller, poller.read(10), LIMITS, None)
    assert (found.records, found.keys, found.rate, found.seconds) == (100, 100, 10.0, 10.0)
    assert len(found.shards) == 4
    with pytest.raises(InputError, match="keeps its records for 24 hours"):
        Poller(world.client, "orders", lambda: world.now, world.sleep, since=since - 90_000)


def test_chosen_shards_are_read_alone() -> None:
    """One shard's keys and rates, and no call to the others; a shard that is not there is named."""
    world = World(lambda client, tenth: put(client, f"key-{tenth}"))
    first = world.client.list_shards(StreamName="orders")["Shards"][0]["ShardId"]
    poller = Poller(world.client, "orders", lambda: world.now, world.sleep, only=[first])
    found = measure("orders", poller, poller.read(5), LIMITS, None)
    assert [shard.shard_id for shard in found.shards] == [first]
    assert 10 < found.records < 40
    with pytest.raises(InputError, match="it has no shard shardId-9"):
        Poller(world.client, "orders", only=["shardId-9"])


def test_the_rate_is_that_of_the_whole_span() -> None:
    """Five records in the first half second of five are one a second, and not ten."""
    found = World(lambda client, tenth: put(client, f"key-{tenth}") if 5 <= tenth < 10 else None).measure()
    assert (found.records, found.rate, found.seconds) == (5, 1.0, 5.0)
    assert found.kinesis is not None
    assert found.kinesis.rate == 1.0


def faults() -> Iterator[Fault]:
    for error in ("ProvisionedThroughputExceededException", "ExpiredIteratorException"):
        yield Fault(operation="GetRecords", error=error, rate=0.3, times=None)


def test_throttles_and_expired_iterators_lose_nothing() -> None:
    """Whoever else reads the stream costs this measurement time, and it tells so."""
    world = World(lambda client, tenth: put(client, f"key-{tenth}"))
    for fault in faults():
        world.kinesis.faults.add(fault)
    found = world.measure()
    assert (found.records, found.keys) == (50, 50)
    assert sum(shard.read_throttled for shard in found.shards) > 0


def test_an_idle_stream_is_told() -> None:
    """Nothing was written: no profile of nothing is made."""
    with pytest.raises(InputError, match="nothing was written"):
        World(lambda client, tenth: None).measure()


def test_what_may_not_be_read_is_one_sentence() -> None:
    """No permission is told with AWS's own code and the stream's name."""
    world = World(lambda client, tenth: None)
    world.kinesis.faults.add(Fault(operation="GetRecords", error="AccessDeniedException", times=None))
    with pytest.raises(InputError, match="stream orders: AccessDeniedException"):
        world.measure()
