"""Equal ranges in stages, where the rules of UpdateShardCount allow no way by it alone.

    up       6,000 --UpdateShardCount--> 6,500 --each shard split in the middle--> 13,000
    down    20,000 --2 merges--> 19,998 --UpdateShardCount--> 9,999 --UpdateShardCount--> 9,000

Kinesis makes equal ranges of up to 10,000 shards; halving each of them makes equal ranges of twice as many.
From more than 10,000 shards a call has to end below 10,000, and at no less than half of the shards: merges
first bring the stream to where that is possible. No stage leaves fewer shards than there were or than are
wanted, whichever are fewer.
"""

from shard_sizing.model.data_files import Limits
from shard_sizing.model.resharding.halving import halved_starts
from shard_sizing.model.resharding.planner import Plan, UpdateCount, plan, uniform_starts
from shard_sizing.model.resharding.update_shard_count import update_shard_count_steps


def staged_plan(current: tuple[int, ...], target: int, limits: Limits) -> Plan | None:
    """Return the stages to so many equal shards; None where there are none, or UpdateShardCount needs none.

    Args:
        current: First hash keys of the open shards, ascending from 0.
        target: Shards wanted, at least 1.
        limits: What AWS allows.
    """
    most, now = limits.update_shard_count_most, len(current)
    if update_shard_count_steps(now, target, limits) is not None:
        return None
    if target > most and target % 2 == 0 and now <= target // 2 <= most:
        return _up(now, target, limits)
    if target < most < now:
        return _down(current, target, limits)
    return None


def _up(now: int, target: int, limits: Limits) -> Plan | None:
    counts = update_shard_count_steps(now, target // 2, limits)
    if not counts:
        return None  # what is left is to halve each shard: no stages
    halves = plan("uniform", uniform_starts(target // 2), uniform_starts(target))
    return Plan("uniform", halves.starts, (*map(UpdateCount, counts), *halves.steps), target)


def _down(current: tuple[int, ...], target: int, limits: Limits) -> Plan | None:
    # From so many the least count that is allowed, the half, is below what UpdateShardCount goes up to.
    merged = halved_starts(current, min(len(current), 2 * (limits.update_shard_count_most - 1)))
    counts = update_shard_count_steps(len(merged), target, limits)
    if counts is None:
        return None
    merges = plan("uniform", current, merged)
    return Plan("uniform", uniform_starts(target), (*merges.steps, *map(UpdateCount, counts)), len(current))
