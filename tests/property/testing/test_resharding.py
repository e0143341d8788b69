"""Whatever is split, merged and scaled: hash keys stay tiled, and every record is read once, in order."""

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.kinesis.shard import HashRange
from orderstream.testing import FakeKinesis, Limits
from orderstream.testing.state.resharding import (
    HASH_SPACE,
    Merge,
    Split,
    plan_uniform_scaling,
    uniform_ranges,
)

STREAM = {"StreamName": "orders"}
FRACTIONS = st.floats(0, 1, exclude_max=True)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.integers(0, 7), min_size=1, max_size=5)),
        st.tuples(st.just("split"), FRACTIONS, st.floats(0.01, 0.99)),
        st.tuples(st.just("merge"), FRACTIONS),
        st.tuples(st.just("scale"), st.integers(1, 8)),
    ),
    max_size=12,
)


class World:
    """A stream without limits per second on a clock that moves with each step."""

    def __init__(self, shards: int) -> None:
        self.now = 1_800_000_000.0
        self.kinesis = FakeKinesis(limits=Limits(throttling=False), clock=lambda: self.now)
        self.client = self.kinesis.client()
        self.client.create_stream(**STREAM, ShardCount=shards)
        self.put: list[tuple[str, bytes]] = []

    def open(self) -> list[Any]:
        shards = [shard for shard in self.kinesis.shards("orders") if shard.is_open]
        return sorted(shards, key=lambda shard: shard.hash_range.start)

    def take(self, step: tuple[Any, ...]) -> None:
        self.now += 1
        shards = self.open()
        match step:
            case "put", keys:
                records = [
                    (f"order-{key}", b"%d" % (len(self.put) + index)) for index, key in enumerate(keys)
                ]
                entries = [{"PartitionKey": key, "Data": data} for key, data in records]
                self.client.put_records(**STREAM, Records=entries)
                self.put += records
            case "split", which, where:
                shard = shards[int(which * len(shards))]
                start, end = shard.hash_range
                at = start + int((end - start) * where)
                if start + 1 < at < end:
                    self.client.split_shard(**STREAM, ShardToSplit=shard.shard_id, NewStartingHashKey=str(at))
            case "merge", which if len(shards) > 1:
                index = int(which * (len(shards) - 1))
                ids = {
                    "ShardToMerge": shards[index].shard_id,
                    "AdjacentShardToMerge": shards[index + 1].shard_id,
                }
                self.client.merge_shards(**STREAM, **ids)
            case "scale", count if len(shards) / 2 <= count <= len(shards) * 2:
                request = {"TargetShardCount": count, "ScalingType": "UNIFORM_SCALING"}
                self.client.update_shard_count(**STREAM, **request)
                assert [shard.hash_range for shard in self.open()] == uniform_ranges(count)

    def read_all(self, page: int) -> list[dict[str, Any]]:
        """Read as a consumer does: from the trim horizon, children after all their parents."""
        at_horizon = {"ShardFilter": {"Type": "AT_TRIM_HORIZON"}}
        waiting = [shard["ShardId"] for shard in self.client.list_shards(**STREAM, **at_horizon)["Shards"]]
        done: set[str] = set()
        records: list[dict[str, Any]] = []
        while waiting:
            shard = waiting.pop(0)
            for child in self._read_shard(shard, page, records):
                ready = set(child["ParentShards"]) <= done | {shard}
                if ready:
                    waiting.append(child["ShardId"])
            done.add(shard)
        return records

    def _read_shard(self, shard: str, page: int, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        request = {"ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        iterator = self.client.get_shard_iterator(**STREAM, **request)["ShardIterator"]
        while True:
            response = self.client.get_records(ShardIterator=iterator, Limit=page)
            records += [record | {"ShardId": shard} for record in response["Records"]]
            iterator = response.get("NextShardIterator")
            if iterator is None:
                return list(response["ChildShards"])
            if response["MillisBehindLatest"] == 0:
                return []


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), STEPS)
def test_the_open_shards_tile_the_hash_keys(shards: int, steps: list[tuple[Any, ...]]) -> None:
    """After any steps each hash key has one open shard, and each child's range lies in its parents'."""
    world = World(shards)
    for step in steps:
        world.take(step)
        ranges = [shard.hash_range for shard in world.open()]
        assert [one.start for one in ranges] == [0, *(one.end + 1 for one in ranges[:-1])]
        assert ranges[-1].end == HASH_SPACE - 1
    by_id = {shard.shard_id: shard for shard in world.kinesis.shards("orders")}
    for shard in by_id.values():
        for parent in (by_id[parent_id] for parent_id in shard.parents):
            assert shard in parent.children
            assert not parent.is_open
            assert parent.hash_range.start <= shard.hash_range.end
            assert shard.hash_range.start <= parent.hash_range.end


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), STEPS, st.integers(1, 7))
def test_every_record_is_read_once_and_in_order(shards: int, steps: list[tuple[Any, ...]], page: int) -> None:
    """Who follows children after all their parents reads each record once, each key in order."""
    world = World(shards)
    for step in steps:
        world.take(step)
    read = world.read_all(page)
    assert sorted(int(record["Data"]) for record in read) == list(range(len(world.put)))
    put_by_key, read_by_key = defaultdict(list), defaultdict(list)
    for key, data in world.put:
        put_by_key[key].append(data)
    for record in read:
        read_by_key[record["PartitionKey"]].append(record["Data"])
    assert read_by_key == put_by_key


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), STEPS)
def test_sequence_numbers_rise_along_the_lineage(shards: int, steps: list[tuple[Any, ...]]) -> None:
    """Within a shard they strictly rise, within its range, and a child's range is above its parents'."""
    world = World(shards)
    for step in steps:
        world.take(step)
    of_shard = defaultdict(list)
    for record in world.read_all(1_000):
        of_shard[record["ShardId"]].append(int(record["SequenceNumber"]))
    ends: dict[str, int] = {}
    for shard in world.client.list_shards(**STREAM)["Shards"]:
        bounds = shard["SequenceNumberRange"]
        start = int(bounds["StartingSequenceNumber"])
        ends[shard["ShardId"]] = end = int(bounds.get("EndingSequenceNumber", 10**57))
        numbers = of_shard[shard["ShardId"]]
        assert all(first < second for first, second in zip([start, *numbers], [*numbers, end], strict=True))
        parents = [shard.get("ParentShardId"), shard.get("AdjacentParentShardId")]
        assert all(ends[parent] < start for parent in parents if parent)


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(1, HASH_SPACE - 1), max_size=10), st.integers(1, 12))
def test_a_plan_of_scaling_leads_to_even_ranges(boundaries: set[int], target: int) -> None:
    """Whatever the ranges, the planned steps are possible in their order and end in uniform ranges."""
    starts = [0, *sorted(boundaries)]
    current = [
        HashRange(*ends) for ends in zip(starts, [*(s - 1 for s in starts[1:]), HASH_SPACE - 1], strict=True)
    ]
    reached = set(starts)
    for step in plan_uniform_scaling(current, target):
        match step:
            case Split(at):
                assert at not in reached
                reached.add(at)
            case Merge(at):
                reached.remove(at)
    assert sorted(reached) == [one.start for one in uniform_ranges(target)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_an_iterator_lives_as_long_as_it_is_renewed(pauses: list[float]) -> None:
    """Each read's next iterator has five minutes of its own, however long the reading goes on."""
    world = World(1)
    request = {"ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}
    iterator = world.client.get_shard_iterator(**STREAM, **request)["ShardIterator"]
    for pause in pauses:
        world.take(("put", [1]))
        world.now += pause
        response = world.client.get_records(ShardIterator=iterator)
        assert len(response["Records"]) == 1
        iterator = response["NextShardIterator"]
