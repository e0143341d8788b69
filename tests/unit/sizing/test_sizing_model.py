"""The model against what is known: ranges over name sets, AWS's own bills, and laws that always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.sizing_keys import numbered_positions, range_loads
from orderstream.producer.salting import sub_key
from shard_sizing.errors import InputError
from shard_sizing.model.capacity.demand import Demand, Question, planned_peak
from shard_sizing.model.capacity.feasibility import way_out
from shard_sizing.model.capacity.salting import least_salt
from shard_sizing.model.capacity.sizing import size
from shard_sizing.model.cost.break_even import break_evens, scaled
from shard_sizing.model.cost.monthly import Workload, monthly
from shard_sizing.model.data_files import load_limits, load_prices
from shard_sizing.model.resharding.planner import (
    HASH_SPACE,
    Split,
    plan,
    targeted_starts,
    uniform_starts,
)
from shard_sizing.model.sampling.sampler import sample
from shard_sizing.model.workload.keys import Salt
from shard_sizing.model.workload.placement import positions
from shard_sizing.model.workload.profile import Profile, synthetic
from shard_sizing.model.workload.zipf import fit_zipf, zipf_shares

LIMITS = load_limits()
PRICES = load_prices().region("us-east-1")
MIB = 2**20


def test_a_key_heavier_than_a_shard_is_infeasible() -> None:
    """No shard count is advised when the heaviest key alone peaks over a shard, and a way out is named."""
    found = size(synthetic(7_500, 500, 1.1, 0.0), LIMITS)
    assert found.verdict == "infeasible"
    assert found.shards is None
    assert "salt" in found.way_out
    assert 6_500 < found.ceiling < 6_900


def test_a_way_out_that_would_not_help_is_not_named() -> None:
    """Where bytes bind, packing records together changes nothing; where records bind, it may."""
    by_bytes = size(synthetic(100, 30_000, 0.0, 0.0, keys=1), LIMITS)
    by_records = size(synthetic(2_000, 100, 0.0, 0.0, keys=1), LIMITS)
    assert (by_bytes.binding, by_records.binding) == ("bytes", "records")
    assert "aggregate" not in by_bytes.way_out
    assert "aggregate" in by_records.way_out


@pytest.mark.parametrize("profile", [synthetic(500, MIB, 0.0, 0.0), synthetic(20, MIB, 0.3, 0.0)])
def test_salt_is_not_advised_where_chance_throttles(profile: Profile) -> None:
    """Records of 1 MiB fill a shard's second: two that meet throttle, and more keys meet as often."""
    found = size(profile, LIMITS)
    assert found.shards is None
    assert "salt" not in found.way_out
    assert "records of about 1,048,576 bytes, of which one fills a shard's second" in found.way_out
    assert "make records smaller" in found.way_out


@pytest.mark.parametrize(
    ("rate", "zipf", "keys", "heaviest"), [(9_000, 0.0, 3, 3), (20_000, 1.1, 100_000, 2), (5_000, 2.0, 50, 1)]
)
def test_the_salting_that_is_advised_suffices(rate: float, zipf: float, keys: int, heaviest: int) -> None:
    """What is advised has been tried: with it a number of shards is found, salting fewer keys it is not."""
    profile = synthetic(rate, 500, zipf, 0.0, keys=keys)
    asked = Question(profile, LIMITS, Demand(at=planned_peak(profile)))
    salt = least_salt(asked)
    assert salt is not None
    assert salt.heaviest == heaviest
    assert f"--salt {salt.ways}" in way_out(asked)
    salted = Question(profile, LIMITS, Demand(at=planned_peak(profile), salt=salt))
    assert not way_out(salted)
    if heaviest > 1:
        assert f"--salt-heaviest {heaviest}" in way_out(asked)
        fewer = Salt(salt.ways)
        assert way_out(Question(profile, LIMITS, Demand(at=planned_peak(profile), salt=fewer)))


def test_too_many_shards_is_not_the_heaviest_keys_fault() -> None:
    """Where no key is heavy and the stream is, no key is blamed and none is to be salted."""
    found = size(synthetic(5e7, 500, 0.0, 0.0, keys=200_000), LIMITS)
    assert found.shards is None
    assert "20,000, the most that a quota allows, are too few" in found.way_out
    assert "streams" in found.way_out
    assert "salt" not in found.way_out


@pytest.mark.parametrize(
    ("mib_per_second", "streams", "consumers", "efo", "mode", "usd_a_day"),
    [
        (100, 10, 1, False, "standard", 1037),
        (100, 10, 1, False, "advantage", 412),
        (25, 1, 10, True, "standard", 1266),
        (25, 1, 10, True, "advantage", 419),
    ],
)
def test_aws_worked_prices(
    mib_per_second: float, streams: int, consumers: int, efo: bool, mode: str, usd_a_day: float
) -> None:
    """Each of AWS's worked examples comes out within 4 %."""
    load = Workload(mib_per_second * 1024, 1024, 1, 1, 1, consumers, efo, streams=streams)
    day = getattr(monthly(load, PRICES, 25.0), mode) / 730 * 24
    assert day == pytest.approx(usd_a_day, rel=0.04)


def test_at_a_break_even_both_modes_cost_the_same() -> None:
    """Each crossing separates a cheaper side from a dearer one, and names them the right way round."""
    load = Workload(20_000, 500, 1, 1, 23)

    def shards_at(rate: float) -> float:
        return max(1.0, rate * 23 / 20_000)

    crossings = break_evens(load, 20_000, PRICES, 25.0, shards_at)
    assert crossings
    for at in crossings:
        below, above = (
            monthly(scaled(load, rate / 20_000, shards_at(rate)), PRICES, 25.0)
            for rate in (0.9 * at.records_per_second, 1.1 * at.records_per_second)
        )
        assert getattr(below, at.below) < getattr(below, at.above)
        assert getattr(above, at.below) > getattr(above, at.above)


def test_provisioned_price() -> None:
    """29 shards at 20,000 records of 500 bytes cost what was reckoned by hand."""
    assert monthly(Workload(20_000, 500, 1, 1, 29), PRICES, 25.0).provisioned == pytest.approx(1053, rel=0.01)


def test_unknown_region_names_the_known() -> None:
    """A Region without prices is refused with the names of those there are."""
    with pytest.raises(InputError, match="us-east-1"):
        load_prices().region("mars-1")


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 2), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_plan_ends_in_exactly_its_target(current: int, target: int, zipf: float, targeted: bool) -> None:
    """Carried out step by step, a plan tiles the hash space with its target, and never beyond its peak."""
    weights = zipf_shares(500, zipf)
    key_positions = positions(f"key-{i}" for i in range(500))
    goal = targeted_starts(key_positions, weights, target) if targeted else uniform_starts(target)
    made = plan("targeted" if targeted else "uniform", uniform_starts(current), goal)
    shards = set(uniform_starts(current))
    peak = len(shards)
    for step in made.steps:
        assert step.start in shards
        if isinstance(step, Split):
            following = min((start for start in shards if start > step.start), default=HASH_SPACE)
            assert step.start < step.at < following
            shards.add(step.at)
        else:
            assert step.neighbour == min(start for start in shards if start > step.start)
            shards.remove(step.neighbour)
        peak = max(peak, len(shards))
    assert tuple(sorted(shards)) == made.starts == goal
    assert peak == made.peak_shards
    assert len(goal) <= target


@given(st.integers(2, 30), st.floats(0.5, 1.5))
@settings(max_examples=20, deadline=None)
def test_targeted_is_never_heavier_than_uniform(shards: int, zipf: float) -> None:
    """Ranges cut by measured load have no busier shard than equal ranges."""
    weights = zipf_shares(2_000, zipf)
    key_positions = numbered_positions(2_000)
    targeted = range_loads(key_positions, weights, targeted_starts(key_positions, weights, shards))
    assert targeted.max() <= range_loads(key_positions, weights, uniform_starts(shards)).max() * (1 + 1e-6)


@pytest.mark.parametrize("zipf", [0.0, 0.8, 1.2])
def test_more_load_never_needs_fewer_shards(zipf: float) -> None:
    """The number advised does not fall as the load grows."""
    needs = [
        size(synthetic(rate, 500, zipf, 0.0, keys=2_000), LIMITS).shards or 10**9 for rate in (400, 2_000)
    ]
    assert needs[0] <= needs[1]


@given(st.floats(0, 1.5), st.integers(2, 50), st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_salting_never_raises_the_largest_keys_share(zipf: float, salt: int, shards: int) -> None:
    """Spread over sub-keys, no key weighs more than before, and the load stays whole."""
    weights = zipf_shares(300, zipf)
    spread = np.repeat(weights / salt, salt)
    key_positions = positions(sub_key(f"key-{i}", j, salt) for i in range(300) for j in range(salt))
    assert spread.max() <= weights.max()
    assert range_loads(key_positions, spread, uniform_starts(shards)).sum() == pytest.approx(1.0)


def test_zipf_fit_covers_the_truth() -> None:
    """The fitted exponent of drawn keys lies near the one they were drawn with."""
    rng = np.random.default_rng(2)
    counts = np.bincount(rng.choice(5_000, 200_000, p=zipf_shares(5_000, 1.0))).astype(float)
    fit = fit_zipf(counts[counts > 0], np.count_nonzero(counts), 200_000.0)
    assert fit.exponent == pytest.approx(1.0, abs=0.03)
    assert fit.low <= fit.exponent <= fit.high


def test_a_sample_tells_the_rate() -> None:
    """Ten records a second for a hundred seconds are ten a second, with no burstiness."""
    profile = sample((f"k{i % 7}", i / 10, 100) for i in range(1_000))
    assert profile.rate == 10
    assert profile.burst_cv == 0
    assert profile.keys == 7
    assert profile.record_bytes == 100


def test_negative_sizes_and_no_events_are_refused() -> None:
    """What no stream can hold is refused in words."""
    with pytest.raises(InputError, match="negative"):
        sample([("a", 0.0, -1)])
    with pytest.raises(InputError, match="no events"):
        sample([])
