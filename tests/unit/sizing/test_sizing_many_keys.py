"""Very many keys: they fall as one by one, in bounded memory, and it is said how many are too heavy."""

import tracemalloc

import msgspec
import numpy as np
import pytest

from orderstream.producer.salting import sub_key
from shard_sizing.model.capacity.demand import Demand, Question
from shard_sizing.model.capacity.feasibility import way_out
from shard_sizing.model.capacity.sizing import size
from shard_sizing.model.data_files import load_limits
from shard_sizing.model.resharding.planner import HASH_SPACE, uniform_starts
from shard_sizing.model.workload.keys import Keys, Salt, fall, keys_of
from shard_sizing.model.workload.placement import positions
from shard_sizing.model.workload.profile import HotKey, Profile, synthetic

LIMITS = load_limits()


def edges_of(shards: int) -> np.ndarray:
    return np.array([*(start / HASH_SPACE for start in uniform_starts(shards)), 1.0])


def one_by_one(keys: Keys, edges: np.ndarray, placements: int, seed: int) -> np.ndarray:
    """Return the records of each shard: every draw at once, every position searched for."""
    rng, count = np.random.default_rng(seed), edges.size - 1
    found = np.zeros((placements, count))
    at = np.searchsorted(edges, keys.positions, side="right") - 1
    found += np.bincount(at, keys.placed[:, 0], count)
    single = np.repeat(keys.each[:, 0], keys.counts)
    drawn = np.searchsorted(edges, rng.random((placements, single.size)), side="right") - 1
    for row in range(placements):
        found[row] += np.bincount(drawn[row], single, count)
    return found


@pytest.mark.parametrize("unequal", [False, True])
@pytest.mark.parametrize(("salt", "named"), [(1, 0), (7, 0), (1_000, 0), (1_000, 3)])
def test_keys_fall_where_a_search_one_by_one_puts_them(salt: int, named: int, unequal: bool) -> None:
    """Blocks and equal ranges are a faster way to the same loads, to the last bit."""
    hot = tuple(HotKey(f"key-{i}", 0.2 / (i + 1), 0.2 / (i + 1)) for i in range(named))
    profile = msgspec.structs.replace(synthetic(9_000, 500, 0.9, 0.0, keys=3_000), hot_keys=hot)
    keys = keys_of(profile, Salt(salt, heaviest=2))
    edges = edges_of(1_201)
    if unequal:
        edges = np.delete(edges, [5, 6, 700])
    loads = fall(keys, edges, 60, np.random.default_rng(3))
    assert np.array_equal(loads.records, one_by_one(keys, edges, 60, 3))


def test_equal_ranges_may_be_given_by_their_number() -> None:
    """The number of ranges and their edges are two ways to say the same."""
    keys = keys_of(synthetic(9_000, 500, 0.9, 0.0, keys=3_000), Salt(1_000))
    by_number = fall(keys, 1_201, 5, np.random.default_rng(3)).records
    assert np.array_equal(by_number, fall(keys, edges_of(1_201), 5, np.random.default_rng(3)).records)


def test_placements_of_many_keys_take_little_memory() -> None:
    """The draws of two million falls are not all held at once."""
    keys = keys_of(synthetic(9_000, 500, 1.1, 0.0, keys=20_000), Salt(1_000))
    edges = edges_of(2_000)
    tracemalloc.start()
    try:
        fall(keys, edges, 100, np.random.default_rng(3))
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_names_of_sub_keys_are_not_kept() -> None:
    """Of a hundred thousand sub-keys positions and shares are held, and no strings."""
    hot = tuple(HotKey(f"key-{i}", 0.004, 0.004) for i in range(100))
    profile = msgspec.structs.replace(synthetic(9_000, 500, 0.9, 0.0, keys=3_000), hot_keys=hot)
    tracemalloc.start()
    try:
        keys = keys_of(profile, Salt(1_000, heaviest=100))
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()
    names = [sub_key(key.key, number, 1_000) for key in hot[:2] for number in range(1_000)]
    assert np.array_equal(keys.positions[:2_000], positions(names))


def test_thousands_of_salted_keys_stand_in_groups_as_others_do() -> None:
    """Each of 1,000 salted keys by itself were a million draws a placement; nothing of their load is lost."""
    profile = synthetic(9_000, 500, 1.1, 0.0, keys=3_000)
    salted, whole = keys_of(profile, Salt(1_000, heaviest=1_000)), keys_of(profile)
    assert len(salted.counts) < 300
    assert salted.number == 1_000 * 1_000 + 2_000
    assert salted.counts @ salted.each == pytest.approx(whole.counts @ whole.each)


def question(profile: Profile, ways: int = 1) -> Question:
    return Question(profile, LIMITS, Demand(at="mean", salt=Salt(ways)))


@pytest.mark.parametrize(
    ("rate", "zipf", "keys", "salt", "told"),
    [
        (1e12, 0.0, 100_000, 1, "each of the 100,000 keys alone overloads a shard; "),
        (9_000, 0.0, 3, 1, "each of the 3 keys alone overloads a shard; "),
        (20_000, 1.1, 100_000, 1, "each of the 2 heaviest keys alone overloads a shard; "),
        (5_000, 2.0, 50, 1, "the heaviest key alone overloads a shard; "),
        (7_500, 1.1, 100_000, 1, "the heaviest key alone overloads a shard; "),
        (1e9, 0.0, 1_000, 10, "each of the 1,009 keys and sub-keys alone overloads a shard; "),
    ],
)
def test_it_is_said_how_many_keys_are_too_heavy(
    rate: float, zipf: float, keys: int, salt: int, told: str
) -> None:
    """Where thousands of keys each need more than a shard, the heaviest of them is not the only one."""
    assert way_out(question(synthetic(rate, 500, zipf, 0.0, keys=keys), salt)).startswith(told)


def test_as_many_keys_are_called_too_heavy_as_no_shard_takes() -> None:
    """By the law itself: the lightest key that is named overloads a shard alone, the next one does not."""
    profile = synthetic(200_000, 500, 0.7, 0.0, keys=1_000)
    told = way_out(question(profile))
    heavy = int(told.split("each of the ")[1].split(" ")[0])
    shares = np.sort(keys_of(profile).each[:, 0])[::-1]
    last, next_one = (
        size(synthetic(200_000 * shares[rank], 500, 0.0, 0.0, keys=1), LIMITS) for rank in (heavy - 1, heavy)
    )
    assert (last.shards is None, next_one.shards is None) == (True, False)
