"""The JSON output of ``shard-sizing plan``."""

from typing import Literal

import msgspec

from shard_sizing.model.capacity.adequacy import Adequacy
from shard_sizing.model.resharding.planner import Kind

QuotaSource = Literal["account", "usual", "open"]


class Planned(msgspec.Struct, frozen=True):
    """The plan to take, and what it was chosen against.

    Attributes:
        at: The name of the rate planned for.
        rate: That rate, user records a second.
        mean_rate: The mean rate of the workload.
        better: ``uniform``, ``halving`` or ``targeted``.
        why: Why this one.
        suffices: Whether the shards at its end take the workload.
        percent: The share of placements in which they have to, in per cent.
        adequacy: How the shards at its end fare.
        uniform: How equal ranges fare; of a plan that halves, how its ranges do.
        targeted: How targeted cuts fare; None where it is not known where the load lies.
        update_shard_count: The counts by which UpdateShardCount alone reaches the uniform target; None where
            its documented rules allow no way.
        seconds: What the splits and merges usually take, at least and at most, with rests between all steps;
            None where UpdateShardCount makes every step, whose time AWS does not say.
        steps: The calls, hash keys in decimal.
        peak_shards: Most open shards of the stream at any time.
        quota: How many the stream may have meanwhile.
        quota_source: ``account``, as DescribeLimits says with the other streams' shards taken off;
            ``usual``, the Region's for accounts that have asked for no more; or ``open``, the shards that
            there are, which are more.
        way_out: Why no number of shards is enough, and what to do then; empty where one may be.
        notes: What else a planner must know.
    """

    at: str
    rate: float
    mean_rate: float
    better: Kind
    why: str
    suffices: bool
    percent: float
    adequacy: Adequacy
    uniform: Adequacy
    targeted: Adequacy | None
    update_shard_count: tuple[int, ...] | None
    seconds: tuple[float, float] | None
    steps: tuple[dict[str, str], ...]
    peak_shards: int
    quota: int
    quota_source: QuotaSource
    way_out: str
    notes: tuple[str, ...]
    schema: str = "shard-sizing/plan/4"
