"""What is asked of a stream: its traffic at the planned peak, its keys, its readers; and what bears it."""

from typing import Final

import msgspec

from shard_sizing.model.aggregation import Aggregation, as_measured
from shard_sizing.model.data_files import Limits
from shard_sizing.model.keys import Keys, Loads, Salt, keys_of
from shard_sizing.model.peaks import Floats
from shard_sizing.model.profile import Profile, rate_at
from shard_sizing.model.readers import Readers
from shard_sizing.model.stream_law import DEFAULT_RECORD_LIMIT, StreamLaw, Traffic
from shard_sizing.model.trials import Bools

TARGET: Final = 0.001
"""A stream fits if at most this share of its seconds at the planned rate is throttled."""

_PLANNED: Final = ("p99.9-minute", "p99.9-hour")


class Demand(msgspec.Struct, frozen=True):
    """What a planner asks about.

    Attributes:
        at: The rate planned for, by its name in the profile; see ``rate_at``.
        aggregation: How producers aggregate; None if they do not, or as the profile was measured.
        readers: Who reads.
        salt: Which keys are spread over sub-keys.
        record_limit: The stream's maximum record size in bytes.
    """

    at: str
    aggregation: Aggregation | None = None
    readers: Readers = Readers()
    salt: Salt = Salt()
    record_limit: int = DEFAULT_RECORD_LIMIT


def planned_peak(profile: Profile) -> str:
    """Return the name of the rate that is planned for by default: the 99.9 % minute if minutes are known."""
    known = (profile.peaks.minute, profile.peaks.hour)
    return next((name for name, rates in zip(_PLANNED, known, strict=True) if rates is not None), "mean")


def measured_aggregation(profile: Profile) -> Aggregation | None:
    """Return the aggregation that a measured stream showed; None if it showed none.

    A producer sends to each shard at its own pace, so a shard gets as many Kinesis records as the busiest one
    did, whatever the number of shards; unless it has fewer user records.
    """
    kinesis = profile.kinesis
    if kinesis is None or kinesis.rate >= 0.99 * profile.rate:
        return None
    shards = getattr(profile, "shards", ())
    busiest = max((shard.records.p99 for shard in shards), default=kinesis.rate)
    return as_measured(max(busiest, kinesis.rate / max(1, len(shards))))


class Question:
    """A demand ready to be held against numbers of shards.

    Args:
        profile: The workload, growth included.
        limits: What shards and streams take.
        demand: What is asked.

    Attributes:
        rate: User records a second planned for.
        keys: Where the load falls.
        law: What a stream of it does.
        oversized: The share of records over the stream's maximum record size: no shards take them.
    """

    def __init__(self, profile: Profile, limits: Limits, demand: Demand) -> None:
        self.profile = profile
        self.limits = limits
        self.demand = demand
        self.rate = rate_at(profile, demand.at)
        # A busiest second has its burst within it.
        cv = 0.0 if demand.at.endswith("-second") else profile.burst_cv
        self.keys: Keys = keys_of(profile, demand.salt)
        aggregation = demand.aggregation or measured_aggregation(profile)
        within = tuple(atom for atom in profile.sizes if atom[0] <= demand.record_limit)
        self.oversized = 1.0 - sum(share for _, share in within)
        sizes = tuple((size, share / (1.0 - self.oversized)) for size, share in within) or profile.sizes
        traffic = Traffic(self.rate, sizes, cv, aggregation, demand.record_limit)
        self.law = StreamLaw(traffic, limits, self.keys.scales)

    def volume(self, loads: Loads) -> Floats:
        """Return each shard's bytes a second, by placement."""
        return self.law.volume(loads.bytes * self.rate)

    def fits(self, loads: Loads) -> Bools:
        """Tell which placements bear the demand, by placement and reading (in the order of ENFORCEMENTS)."""
        read = self.demand.readers.keep_up(self.volume(loads), self.limits)
        bears: Bools = (self.law.throttled(loads) <= TARGET) & read[:, None]
        return bears
