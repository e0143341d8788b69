"""Plans: exact, within the quota where an order of the steps is, and the one that a person would run."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shard_sizing.model.data_files import load_limits
from shard_sizing.model.resharding.halving import halved_starts
from shard_sizing.model.resharding.planner import (
    HASH_SPACE,
    Merge,
    Plan,
    Split,
    UpdateCount,
    plan,
    snapped_starts,
    uniform_starts,
)
from shard_sizing.model.resharding.staged import staged_plan
from shard_sizing.model.resharding.update_shard_count import is_quick, update_shard_count_steps

LIMITS = load_limits()
TILINGS = st.lists(st.integers(1, 400), max_size=40, unique=True).map(lambda cuts: (0, *sorted(cuts)))


def played(current: tuple[int, ...], made: Plan) -> list[tuple[int, ...]]:
    """Carry a plan out and return every tiling on the way; each step must be one that Kinesis accepts."""
    shards, seen = sorted(current), [tuple(sorted(current))]
    for step in made.steps:
        if isinstance(step, Split):
            following = min((start for start in shards if start > step.start), default=HASH_SPACE)
            assert step.start in shards
            assert step.start < step.at < following
            shards.append(step.at)
        else:
            assert isinstance(step, Merge)
            assert step.neighbour == min(start for start in shards if start > step.start)
            shards.remove(step.neighbour)
        shards.sort()
        seen.append(tuple(shards))
    return seen


@given(TILINGS, TILINGS, st.integers(1, 90))
@settings(max_examples=200, deadline=None)
def test_a_tight_quota_is_kept_by_interleaving(
    current: tuple[int, ...], target: tuple[int, ...], quota: int
) -> None:
    """Whatever the quota, the steps are legal and exact, and at most two shards beyond both ends are open."""
    made = plan("targeted", current, target, quota)
    seen = played(current, made)
    assert seen[-1] == target
    assert made.peak_shards == max(map(len, seen))
    if made.peak_shards > quota:
        assert made.peak_shards <= max(len(current), len(target)) + 2


@given(TILINGS, TILINGS, st.integers(1, 90))
@settings(max_examples=100, deadline=None)
def test_no_shard_is_ever_wider_than_before_or_after(
    current: tuple[int, ...], target: tuple[int, ...], quota: int
) -> None:
    """Each open shard lies within one of the current or within one of the target, so none takes more load."""
    for tiling in played(current, plan("targeted", current, target, quota)):
        for start, end in zip(tiling, (*tiling[1:], HASH_SPACE), strict=True):
            assert any(
                not any(start < boundary < end for boundary in boundaries) for boundaries in (current, target)
            )


def test_a_doubling_fits_the_quota_that_it_ends_at() -> None:
    """From 500 shards to 1,000 elsewhere in a Region of 1,000: splits first would need 1,499."""
    target = (0, *(HASH_SPACE * i // 1_000 + 7 * 2**100 for i in range(1, 1_000)))
    assert plan("targeted", uniform_starts(500), target).peak_shards == 1_499
    made = plan("targeted", uniform_starts(500), target, 1_000)
    assert made.peak_shards == 1_000
    assert played(uniform_starts(500), made)[-1] == target


def test_splits_come_first_where_the_quota_has_room() -> None:
    """Capacity never dips below what there was."""
    made = plan("uniform", uniform_starts(5), uniform_starts(4), 100)
    assert [type(step) for step in made.steps] == [Split] * 3 + [Merge] * 4


@pytest.mark.parametrize(
    ("current", "target", "counts"),
    [
        (4, 8, (8,)),
        (3, 10, (6, 10)),
        (10, 3, (5, 3)),
        (9, 9, ()),
        (6_000, 10_000, (10_000,)),
        (6_000, 12_000, None),  # above 10,000 not by default
        (6_000, 20_000, None),
        (12_000, 13_000, None),
        (20_000, 12_000, None),  # from above 10,000 only to below it
        (20_000, 9_000, None),  # and half of 20,000 is not below it
        (19_998, 9_999, (9_999,)),
        (18_000, 4_500, (9_000, 4_500)),
        (18_000, 10_000, None),
        (10_000, 5_000, (5_000,)),
    ],
)
def test_update_shard_count_keeps_the_documented_rules(
    current: int, target: int, counts: tuple[int, ...] | None
) -> None:
    """Double, half, 10,000: what AWS refuses is never proposed."""
    assert update_shard_count_steps(current, target, LIMITS) == counts


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_each_update_is_one_that_aws_accepts(current: int, target: int) -> None:
    """At most double, at least half, at most 10,000, and from above 10,000 to below it."""
    now = current
    for step in update_shard_count_steps(current, target, LIMITS) or ():
        assert now / 2 <= step <= min(now * 2, 10_000)
        assert now <= 10_000 or step < 10_000
        now = step
    raised = msgspec.structs.replace(LIMITS, update_shard_count_most=20_000)
    assert (update_shard_count_steps(current, target, raised) or (current,))[-1] == target


@given(TILINGS, st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_halving_takes_as_many_steps_as_shards_come_or_go(current: tuple[int, ...], shards: int) -> None:
    """Nothing else is touched; splits halve the widest, so none is wider than twice the narrowest new one."""
    spread = tuple(HASH_SPACE // 400 * start for start in current)
    target = halved_starts(spread, shards)
    made = plan("halving", spread, target)
    assert (len(target), len(made.steps)) == (shards, abs(shards - len(spread)))
    assert played(spread, made)[-1] == target
    if shards > len(spread):
        widths = [end - start for start, end in zip(target, (*target[1:], HASH_SPACE), strict=True)]
        new = [width for start, width in zip(target, widths, strict=True) if start not in spread]
        assert max(widths) <= 2 * min(new) + 2


def test_a_quarter_is_quick() -> None:
    """AWS recommends multiples of 25 % of the present count."""
    assert [is_quick(8, target) for target in (10, 12, 16, 4, 9)] == [True, True, True, True, False]


def test_boundaries_that_differ_by_rounding_are_left_alone() -> None:
    """Kinesis rounds equal ranges in its own way; a shard of one hash key is nobody's wish."""
    kinesis = tuple(HASH_SPACE // 7 * i for i in range(7))
    assert kinesis != uniform_starts(7)
    assert snapped_starts(kinesis, uniform_starts(7)) == kinesis
    assert plan("uniform", kinesis, snapped_starts(kinesis, uniform_starts(14))).steps != ()
    assert snapped_starts(uniform_starts(3), uniform_starts(7)) == uniform_starts(7)


def stages(made: Plan | None) -> list[tuple[str, int]]:
    """Runs of steps of one kind: UpdateShardCount with its count, splits and merges with their number."""
    found: list[tuple[str, int]] = []
    for step in made.steps if made else ():
        kind = type(step).__name__
        if isinstance(step, UpdateCount):
            found.append((kind, step.shards))
        elif found and found[-1][0] == kind:
            found[-1] = kind, found[-1][1] + 1
        else:
            found.append((kind, 1))
    return found


@pytest.mark.parametrize(
    ("current", "target", "wanted"),
    [
        (6_000, 13_000, [("UpdateCount", 6_500), ("Split", 6_500)]),
        (
            2_000,
            20_000,
            [("UpdateCount", 4_000), ("UpdateCount", 8_000), ("UpdateCount", 10_000), ("Split", 10_000)],
        ),
        (20_000, 9_000, [("Merge", 2), ("UpdateCount", 9_999), ("UpdateCount", 9_000)]),
        (6_000, 12_000, []),  # each shard halved, which needs no stages
        (8_000, 13_000, []),  # 6,500 equal shards on the way are fewer than there were
        (6_000, 13_001, []),  # halves of equal shards are an even number
        (20_000, 12_000, []),  # from above 10,000 to above it no call leads
        (4_000, 8_000, []),  # UpdateShardCount does it alone
    ],
)
def test_stages_lead_to_equal_ranges_where_no_call_does(
    current: int, target: int, wanted: list[tuple[str, int]]
) -> None:
    """UpdateShardCount goes as far as AWS lets it; splits and merges do the rest."""
    assert stages(staged_plan(uniform_starts(current), target, LIMITS)) == wanted


SMALL = msgspec.structs.replace(LIMITS, update_shard_count_most=10)


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_every_stage_is_legal_and_none_leaves_too_few_shards(current: int, target: int) -> None:
    """Played by AWS' rules, stages end in equal ranges, and never hold fewer shards than both ends."""
    starts = uniform_starts(current)
    made = staged_plan(starts, target, SMALL)
    if made is None:
        return
    for step in made.steps:
        now = len(starts)
        if isinstance(step, UpdateCount):
            assert now / 2 <= step.shards <= min(2 * now, 10)
            assert now <= 10 or step.shards < 10
            starts = uniform_starts(step.shards)
        else:
            starts = played(starts, Plan("uniform", (), (step,), 0))[-1]
        assert min(current, target) <= len(starts) <= made.peak_shards
    assert starts == made.starts == uniform_starts(target)
