"""The answer of ``size``: the peak it is for, the placements it holds in, and what no shards help."""

import json

import msgspec
import numpy as np
import pytest

from fakes.sizing_cli import run
from shard_sizing.model.capacity.demand import TARGET, Demand, Question, planned_peak
from shard_sizing.model.capacity.readers import Readers
from shard_sizing.model.capacity.simulate import simulate
from shard_sizing.model.capacity.sizing import Sizing, size
from shard_sizing.model.capacity.targeted import targeted_shards
from shard_sizing.model.data_files import load_limits
from shard_sizing.model.law.aggregation import Aggregation
from shard_sizing.model.law.shard_law import ENFORCEMENTS
from shard_sizing.model.workload.keys import Keys, Salt, fall, keys_of
from shard_sizing.model.workload.placement import positions
from shard_sizing.model.workload.profile import HashLoad, HotKey, KeyShare, Profile, synthetic

LIMITS = load_limits()
WINDOW = ENFORCEMENTS.index("fixed-window")
BUCKET = ENFORCEMENTS.index("token-bucket")


def question(profile: Profile, **demand: object) -> Question:
    return Question(profile, LIMITS, msgspec.structs.replace(Demand(at=planned_peak(profile)), **demand))


def throttled(asked: Question, shards: int, placements: int = 20) -> np.ndarray:
    loads = fall(asked.keys, shards, placements, np.random.default_rng(7))
    return np.median(asked.law.throttled(loads), axis=0)


def counts(found: Sizing) -> dict[tuple[str, float], int | None]:
    return {(need.enforcement, need.percent): need.shards for need in found.needs}


@pytest.mark.parametrize(("size_bytes", "share"), [(20_000, 0.016), (50_000, 0.17), (200_000, 0.54)])
def test_large_records_throttle_shards_that_are_two_thirds_full(size_bytes: int, share: float) -> None:
    """Few records fill a shard's second, so its mean says nothing: 4 MB/s on 6 shards, as simulated apart."""
    asked = question(synthetic(4e6 / size_bytes, size_bytes, 0.0, 0.0))
    assert throttled(asked, 6)[WINDOW] == pytest.approx(share, rel=0.12)


def test_what_size_advises_for_large_records_holds_by_its_own_law() -> None:
    """At the number advised, no more of the seconds throttle than was promised, whatever the mean load."""
    profile = synthetic(20, 200_000, 0.0, 0.0)
    found = size(profile, LIMITS)
    assert found.shards is not None
    assert found.shards > 30
    assert throttled(question(profile), found.shards)[WINDOW] <= TARGET
    assert any("records of about 200,000 bytes" in note for note in found.notes)


def test_records_of_unequal_sizes_throttle_sooner() -> None:
    """10 MB/s of 5 KB records: equal ones need 12 shards, lognormal ones of CV 2 several times as many."""
    even, uneven = (question(synthetic(2_000, 5_000, 0.0, 0.0, bytes_cv=cv)) for cv in (0.0, 2.0))
    assert throttled(even, 14)[WINDOW] <= TARGET
    assert throttled(uneven, 14)[WINDOW] == pytest.approx(0.34, abs=0.08)
    assert throttled(uneven, 30)[WINDOW] > TARGET


def test_records_over_the_streams_maximum_size_are_no_question_of_shards() -> None:
    """Kinesis refuses them, however many shards there are; the stream's setting is asked for."""
    done = run("size", "--rate", "2", "--bytes", "5000000")
    assert done.exit_code == 3
    assert "maximum record size of 1,024 KiB" in done.stdout
    raised = json.loads(
        run("size", "--rate", "0.04", "--bytes", "5000000", "--max-record-kib", "10240", "--json").stdout
    )
    assert raised["verdict"] == "fits"
    assert any("below 2 % of the traffic" in note for note in raised["notes"])


def test_the_busiest_minutes_are_planned_for_and_not_the_mean() -> None:
    """The first sentence says which rate the answer is for, and how far that is above the mean."""
    told = run("size", "--rate", "100", "--peak", "3000", "--keys", "5000").stdout
    assert told.startswith("For the 99.9 % minute, 3,000 records/s (30 times the mean), you need 4 shards")
    mean = run("size", "--rate", "100", "--keys", "5000", "--at", "mean").stdout
    assert mean.startswith("For the mean of 100 records/s, you need 1 shard")


def test_the_answer_holds_in_a_share_of_placements() -> None:
    """Steep keys: 13 shards fit in a fifth of the placements; nine of ten take three times as many."""
    found = size(synthetic(5_000, 500, 1.1, 0.0), LIMITS)
    assert found.shards is not None
    assert 34 <= found.shards <= 46
    by = counts(found)
    assert 14 <= (by["fixed-window", 50.0] or 0) <= 20
    assert (by["fixed-window", 99.0] or 0) > 80
    assert (by["token-bucket", 90.0] or 99) < found.shards
    assert found.targeted in (6, 7)
    lucky = simulate(question(synthetic(5_000, 500, 1.1, 0.0)), [2**128 * i // 13 for i in range(13)], 90, 3)
    assert lucky.fits_in == pytest.approx(0.2, abs=0.08)


def test_the_seed_changes_the_names() -> None:
    """Two seeds place unknown keys differently, one seed always alike."""
    keys = keys_of(synthetic(5_000, 500, 1.1, 0.0))
    one, again, other = (fall(keys, 13, 1, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.records, again.records)
    assert not np.array_equal(one.records, other.records)


def test_a_known_list_of_keys_has_one_placement() -> None:
    """Where every key is known, the answer is exact, and the same whatever the seed."""
    keys = tuple(KeyShare(f"shop-{i}", 0.05, 0.05) for i in range(20))
    profile = msgspec.structs.replace(synthetic(5_000, 500, 0.0, 0.0, keys=20), key_list=keys)
    found = [size(profile, LIMITS, seed=seed) for seed in (1, 2)]
    assert found[0].exact
    assert found[0] == found[1]
    assert found[0].shards is not None
    key_positions = positions(key.key for key in keys)
    busiest = np.bincount((key_positions * found[0].shards).astype(int)).max()
    assert busiest * 250 < 1_000
    assert found[0].at_advised is not None
    assert found[0].at_advised.placements == 1


def test_what_binds_is_weighed_by_key() -> None:
    """A tenant with 1 % of the records and 83 % of the bytes overloads its shard, however many there are."""
    tenant = HotKey("tenant", 0.01, 0.83)
    sizes = ((1_700.0, 0.99), (824_000.0, 0.01))
    mean = sum(size * share for size, share in sizes)
    even = synthetic(180, mean, 0.0, 0.0, keys=10_000)
    profile = msgspec.structs.replace(even, sizes=sizes, hot_by_bytes=(tenant,), max_bytes=824_000)
    found = size(profile, LIMITS)
    assert (found.verdict, found.binding) == ("infeasible", "bytes")
    assert "heaviest key" in found.way_out


def test_aggregation_depends_on_the_producers() -> None:
    """3,000 small records a second: 12 producers share aggregates on one shard, 40 hardly do."""
    profile = synthetic(3_000, 106, 0.0, 0.0)
    few, many, lingering = (
        size(profile, LIMITS, msgspec.structs.replace(Demand(at="mean"), aggregation=each))
        for each in (Aggregation(12), Aggregation(40), Aggregation(40, linger=0.1))
    )
    assert (few.shards, lingering.shards) == (1, 1)
    assert many.shards == 4
    told = run("size", "--rate", "3000", "--bytes", "106", "--aggregate")
    assert told.exit_code == 1
    assert "--producers" in told.stderr


def test_readers_see_the_busiest_shard() -> None:
    """Shared reads are as skewed as writes; what an outage leaves must be made up for."""
    profile = synthetic(5_000, 500, 0.8, 0.0)
    one, five = (question(profile, readers=Readers(count, poll_seconds=2)) for count in (1, 5))
    loads = fall(one.keys, 8, 50, np.random.default_rng(1))
    assert five.demand.readers.used(five.volume(loads), LIMITS).max(axis=1).mean() > 0.8
    assert one.fits(loads)[:, WINDOW].mean() > 0.8
    assert five.fits(loads)[:, WINDOW].mean() < 0.2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--consumers", "40", "--efo"), "20 registered consumers (50 with on-demand Advantage)"),
        (("--consumers", "7"), "answers 5"),
    ],
)
def test_readers_that_no_shards_help(arguments: tuple[str, ...], told: str) -> None:
    """Calls of GetRecords and registered consumers are limited, however many shards there are."""
    done = run("size", "--rate", "100", "--keys", "500", *arguments)
    assert done.exit_code == 3
    assert told in done.stdout


def test_one_shard_that_is_enough_is_not_bound_by_reads() -> None:
    """The limit named is the one that is nearest, though it is far."""
    assert size(synthetic(500, 500, 0.0, 0.0, keys=500), LIMITS).binding == "records"


def test_salted_keys_lie_where_the_sdk_puts_them() -> None:
    """A salted key's sub-keys have the SDK's names, and no other key has any."""
    hot, other = HotKey("hot-customer", 0.4, 0.4), HotKey("user:1", 0.2, 0.2)
    profile = msgspec.structs.replace(synthetic(4_000, 500, 0.0, 0.0), hot_keys=(hot, other))
    keys = keys_of(profile, Salt(4, ("hot-customer",)))
    names = [f"hot-customer~{i}of4" for i in range(4)] + ["user:1"]
    assert keys.positions.tolist() == positions(names).tolist()
    assert keys.placed[:, 0].tolist() == pytest.approx([0.1] * 4 + [0.2])


def test_salting_makes_a_heavy_key_bearable() -> None:
    """Its own advice can be sized: the key of 40 % fits once it is spread, up to the SDK's most sub-keys."""
    hot = HotKey("hot-customer", 0.4, 0.4)
    profile = msgspec.structs.replace(synthetic(4_000, 500, 0.0, 0.0), hot_keys=(hot,))
    assert size(profile, LIMITS).shards is None
    for ways in (8, 1_000):
        assert size(profile, LIMITS, Demand(at="mean", salt=Salt(ways))).shards is not None


def test_a_measured_load_is_exact() -> None:
    """A stream's load lies where it was measured: one placement, whatever the names."""
    parts = tuple([0.4] + [0.6 / 15] * 15)
    profile = msgspec.structs.replace(synthetic(2_000, 500, 0.0, 0.0), hash_load=HashLoad(parts, parts))
    found = size(profile, LIMITS)
    assert found.exact
    assert found.shards is not None
    asked = question(profile)
    assert asked.fits(fall(asked.keys, found.shards, 1, np.random.default_rng(1)))[0, WINDOW]
    assert targeted_shards(asked, WINDOW, np.random.default_rng(1)) == found.targeted


def test_a_rate_beyond_every_quota_is_answered_at_once() -> None:
    """No quota allows enough shards: that is said, and no key is blamed."""
    found = size(synthetic(1e12, 500, 0.0, 0.0), LIMITS)
    assert found.shards is None
    assert found.at_naive is None


def test_placements_keep_the_whole_load() -> None:
    """Groups of equal keys are dealt out as one; none of the load is lost by that."""
    keys: Keys = keys_of(synthetic(1, 500, 1.0, 0.0, keys=3_000))
    loads = fall(keys, 7, 5, np.random.default_rng(1))
    assert loads.records.sum(axis=1) == pytest.approx(np.ones(5))
    apart = keys.apart()
    assert apart.times is not None
    assert (apart.records * apart.times).sum() == pytest.approx(1.0)
    assert apart.times.sum() == 3_000


def test_huge_rates_are_a_question_of_their_keys() -> None:
    """Nine million records a second of 100,000 keys are lumps; of a hundred million they are even.

    Then a shard bears 848 a second: at 5.2 standard deviations below its limit, so that of some 10,600 shards
    one in a thousand seconds has any that is over it.
    """
    lumps, even = (size(synthetic(9e6, 500, 0.0, 0.0, keys=keys), LIMITS) for keys in (100_000, 100_000_000))
    assert (lumps.shards, even.shards) == (None, pytest.approx(9e6 / 848, rel=0.03))
    assert even.targeted is not None
    assert even.targeted <= (even.shards or 0)
    assert "Made up, not measured: 100,000 keys of equal load" in lumps.notes[0]


def test_a_number_by_one_reading_alone_is_no_contradiction() -> None:
    """The sentence says by which reading none is enough, and what the other one needs, as the table does."""
    done = run("size", "--rate", "950", "--keys", "1", "--percent", "50")
    assert done.exit_code == 3
    sentence, table = done.stdout.splitlines()[0], done.stdout
    assert (
        "no number of shards is enough if limits are enforced by a fixed window (a token bucket" in sentence
    )
    assert "never enough" in table
