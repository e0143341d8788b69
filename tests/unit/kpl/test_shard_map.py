from dataclasses import replace

import pytest

from orderstream.aggregation import MAX_HASH_KEY
from orderstream.kinesis.shard import HashRange, Shard
from orderstream.kinesis.shard_map import IncompleteShardMapError, ShardMap

HALF = MAX_HASH_KEY // 2
LEFT = Shard("left", HashRange(0, HALF))
RIGHT = Shard("right", HashRange(HALF + 1, MAX_HASH_KEY))
WHOLE = Shard("whole", HashRange(0, MAX_HASH_KEY))


def test_closed_shards_are_known_but_lead_nowhere() -> None:
    """After a split the parent's range stays on record, its children take the keys."""
    shard_map = ShardMap([replace(WHOLE, is_open=False), LEFT, RIGHT])
    assert shard_map.open == (LEFT, RIGHT)
    assert shard_map.ranges["whole"] == WHOLE.hash_range


def test_a_listed_parent_counts_as_closed() -> None:
    """A listing that shows children beside a parent not yet marked as closed is read right."""
    children = [replace(shard, parents=frozenset({"whole"})) for shard in (LEFT, RIGHT)]
    assert ShardMap([WHOLE, *children]).open == tuple(children)


@pytest.mark.parametrize(
    "shards",
    [
        [],
        [LEFT],
        [RIGHT],
        [LEFT, WHOLE],
        [LEFT, replace(RIGHT, hash_range=HashRange(HALF + 2, MAX_HASH_KEY))],
        [LEFT, replace(RIGHT, hash_range=HashRange(HALF, MAX_HASH_KEY))],
        [LEFT, replace(RIGHT, hash_range=HashRange(HALF + 1, MAX_HASH_KEY - 1))],
    ],
)
def test_a_listing_with_gaps_or_overlaps_is_refused(shards: list[Shard]) -> None:
    """A listing caught in the middle of a change is no map; it can be read again."""
    with pytest.raises(IncompleteShardMapError) as caught:
        ShardMap(shards)
    assert caught.value.retryable


def test_ranges_outlive_the_listing() -> None:
    """What was once learned of a shard id stays true, even if a later listing lags behind."""
    first = ShardMap([replace(WHOLE, is_open=False), LEFT, RIGHT])
    assert ShardMap([WHOLE], first.ranges).ranges["left"] == LEFT.hash_range


def test_maps_are_compared_by_their_open_shards() -> None:
    """Only what routes records counts as a change."""
    assert ShardMap([LEFT, RIGHT]).same_shards_open(ShardMap([RIGHT, LEFT, replace(WHOLE, is_open=False)]))
    assert not ShardMap([LEFT, RIGHT]).same_shards_open(ShardMap([WHOLE]))


def test_a_range_covers_both_of_its_ends() -> None:
    """And no key beyond them; ``in``, which asks a plain pair something else, is refused."""
    keys = HashRange(5, 9)
    assert [key for key in range(12) if keys.covers(key)] == [5, 6, 7, 8, 9]
    with pytest.raises(TypeError, match=r"covers\(7\)"):
        assert 7 in keys  # type: ignore[operator]
