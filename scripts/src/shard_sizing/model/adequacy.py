"""Whether given shards take a workload, and which of two plans a person would run."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from shard_sizing.model.data_files import Limits
from shard_sizing.model.peaks import Floats
from shard_sizing.model.placement import placed, range_loads
from shard_sizing.model.planner import Plan
from shard_sizing.model.profile import Profile
from shard_sizing.model.simulate import ENFORCEMENTS, burst_factors, shard_capacity, simulate
from shard_sizing.model.sizing import TARGET

MARGIN: Final = 0.1
"""Where neither plan suffices, targeted cuts have to relieve the busiest shard by this share of its load."""

_PLACEMENTS: Final = 5  # sets of made-up names, where the real ones are not known
_SECONDS: Final = 1_000


class Adequacy(msgspec.Struct, frozen=True):
    """How given shards fare.

    Attributes:
        busiest: The busiest shard's share of the load, 0 to 1; the median where placements are made up.
        throttled_seconds: Share of seconds in which any shard throttles, by the stricter reading of the
            limit; the worst of all placements.
        placements: Sets of key names that were tried; 1 where the real placement is known.
        fits_in: Those of them in which the shards suffice.
    """

    busiest: float
    throttled_seconds: float
    placements: int
    fits_in: int

    @property
    def suffices(self) -> bool:
        """Whether the shards take the workload in every placement that was tried."""
        return self.fits_in == self.placements


def placement_known(profile: Profile) -> bool:
    """Whether it is known where the load lies: it was measured on a stream, or every key is listed."""
    return profile.hash_load is not None or bool(profile.key_list)


def adequacy(
    profile: Profile,
    starts: Sequence[int],
    limits: Limits,
    seed: int,
    progress: Callable[[], None] = lambda: None,
) -> Adequacy:
    """Play a workload on shards that begin at given hash keys.

    Args:
        profile: The workload, at the rate that the shards have to take.
        starts: First hash key of each shard, ascending.
        limits: What a shard takes.
        seed: Makes the same answer come out again.
        progress: Called after each placement.
    """
    placements = 1 if placement_known(profile) else _PLACEMENTS
    busiest, throttled = [], []
    capacity, binding = shard_capacity(profile, limits, False)
    for name_set in range(placements):
        loads = range_loads(*placed(profile, name_set, binding), starts)
        rng = np.random.default_rng((seed, name_set))
        bursts = burst_factors(profile.burst_cv, _SECONDS, rng)
        near = loads[_may_throttle(loads * profile.rate * float(bursts.max()), capacity)]
        played = [
            simulate(near, profile.rate, capacity, bursts, rng, one) for one in ENFORCEMENTS if near.size
        ]
        busiest.append(float(loads.max()))
        throttled.append(max((each.throttled_seconds for each in played), default=0.0))
        progress()
    fits = sum(share <= TARGET for share in throttled)
    return Adequacy(round(float(np.median(busiest)), 6), round(max(throttled), 6), placements, fits)


def _may_throttle(busiest_seconds: Floats, capacity: float) -> npt.NDArray[np.bool_]:
    # Six standard deviations of a Poisson count, and a few records more for counts that are small.
    near: npt.NDArray[np.bool_] = busiest_seconds + 6 * np.sqrt(busiest_seconds) + 6 > capacity
    return near


class Candidate(msgspec.Struct, frozen=True):
    """A plan, and how the shards at its end fare."""

    plan: Plan
    adequacy: Adequacy


def choose(uniform: Candidate, targeted: Candidate | None, quota: int) -> tuple[Candidate, str]:
    """Return the plan to take, and why in words.

    Equal ranges are preferred where they suffice: UpdateShardCount makes them, today and next time.

    Args:
        uniform: Equal ranges.
        targeted: Ranges of equal load; None where it is not known where the load lies.
        quota: Shards that may be open on the way.
    """
    if targeted is None:
        return uniform, (
            "where the keys lie is not known, which leaves equal ranges; measure the stream to cut by load"
        )
    if uniform.plan.peak_shards > quota >= targeted.plan.peak_shards:
        return targeted, "the way to equal ranges exceeds the quota"
    if targeted.plan.peak_shards > quota >= uniform.plan.peak_shards:
        return uniform, "the way to targeted cuts exceeds the quota"
    if uniform.adequacy.suffices:
        return uniform, "equal ranges suffice"
    if targeted.adequacy.suffices:
        return targeted, "equal ranges would throttle, targeted cuts do not"
    if targeted.adequacy.busiest <= (1 - MARGIN) * uniform.adequacy.busiest:
        return targeted, "targeted cuts relieve the busiest shard"
    return uniform, "targeted cuts would hardly relieve the busiest shard"
