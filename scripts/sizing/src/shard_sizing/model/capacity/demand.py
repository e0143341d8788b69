"""What is asked of a stream: its traffic at the planned peak, its keys, its readers; and what bears it."""

import math
from statistics import NormalDist
from typing import Final, Literal

import msgspec
import numpy as np

from shard_sizing.errors import InputError
from shard_sizing.model.capacity.readers import Readers
from shard_sizing.model.capacity.trials import Bools
from shard_sizing.model.data_files import Limits
from shard_sizing.model.law.aggregation import Aggregation, measured_pace
from shard_sizing.model.law.bursts import MOST_CV
from shard_sizing.model.law.stream_law import DEFAULT_RECORD_LIMIT, StreamLaw, Traffic
from shard_sizing.model.workload.clumps import Clump
from shard_sizing.model.workload.keys import Keys, Loads, Salt, keys_of
from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.profile import Profile, planned_clumps, rate_at

Binding = Literal["records", "bytes", "reads"]
"""A limit of a shard."""

TARGET: Final = 0.001
"""A stream fits if at most this share of its seconds at the planned rate is throttled."""

_NORMAL_TARGET: Final = NormalDist().inv_cdf(1 - TARGET)
_MATTERS: Final = 0.01  # of what a shard takes: clumps below are like other keys
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


def peak_burst(burst_cv: float) -> float:
    """Return the factor by which the second in a thousand exceeds the mean, by bursts of such a variation."""
    spread = math.sqrt(math.log1p(burst_cv**2))
    return math.exp(_NORMAL_TARGET * spread - spread**2 / 2)


def measured_aggregation(profile: Profile) -> Aggregation | None:
    """Return the aggregation that a measured stream showed; None if it showed none.

    A producer sends to each shard at its own pace, so a shard gets as many Kinesis records as the busiest one
    did, for any number of shards, unless it has fewer user records.
    """
    kinesis = profile.kinesis
    if kinesis is None or kinesis.rate >= 0.99 * profile.rate:
        return None
    shards = getattr(profile, "shards", ())
    busiest = max((shard.records.p99 for shard in shards), default=kinesis.rate)
    return measured_pace(max(busiest, kinesis.rate / max(1, len(shards))))


def _clumps(
    profile: Profile, peak: str, burst_cv: float, company: float, limits: Limits
) -> tuple[Clump, ...]:
    """Return the clumps of a peak as they come at a mean second of it, but for those that hardly matter.

    A clump's busiest second is known. The law has all keys vary from second to second by chance, in clumps
    and in the bursts of the stream. What goes in is the mean that becomes that busiest second in the one in a
    thousand, up to which a stream has to bear.
    """
    left, lump = rate_at(profile, peak), 1.0 + company
    found = []
    for clump in planned_clumps(profile, peak):
        # Together the ranks may be more than any interval has: they are not all of the same one.
        room = left / clump.lasting_records if clump.lasting_records else math.inf
        number = min(clump.keys, math.floor(max(1.0, room)) if math.isfinite(room) else clump.keys)
        part = min(1.0, room / number)
        left -= part * number * clump.lasting_records
        records, volume = clump.lasting_records * part, clump.lasting_bytes * part
        if clump.records > clump.lasting_records:
            records = max(records, _mean_of_busiest(clump.records, burst_cv, lump))
        if clump.bytes > clump.lasting_bytes:
            size = clump.bytes / clump.records if clump.records else profile.record_bytes
            volume = max(volume, _mean_of_busiest(clump.bytes, burst_cv, lump * size))
        if max(records / limits.records_per_second, volume / limits.bytes_per_second) >= _MATTERS:
            lasting = clump.lasting_records * part, clump.lasting_bytes * part
            found.append(Clump(clump.key, records, volume, *lasting, keys=number))
    return tuple(found)


def _mean_of_busiest(busiest: float, burst_cv: float, lump: float) -> float:
    """Return the mean of which ``busiest`` is the second in a thousand, by bursts and chance in lumps."""
    root = _NORMAL_TARGET * math.sqrt(lump)
    return ((math.sqrt(root**2 + 4 * busiest / peak_burst(burst_cv)) - root) / 2) ** 2


class Question:
    """A demand ready to be held against numbers of shards.

    Args:
        profile: The workload, growth included.
        limits: What shards and streams take.
        demand: What is asked.

    Raises:
        InputError: The bursts are beyond ``MOST_CV``.

    Attributes:
        rate: User records a second planned for.
        clumps: What the heaviest keys bring at that rate, as far as it matters to a shard.
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
        if cv > MOST_CV:
            raise InputError(
                "bursts",
                f"a variation of {cv:.1f} from second to second is beyond {MOST_CV:g}: most records come in "
                "so few seconds that a share of all seconds says nothing of them; plan for busy seconds "
                "(--at max-second)",
            )
        seconds = profile.clumps.get("second")
        company = seconds.company if seconds else 0.0
        self.clumps = _clumps(profile, demand.at, cv, company, limits)
        self.keys: Keys = keys_of(profile, demand.salt, self.clumps, self.rate)
        aggregation = demand.aggregation or measured_aggregation(profile)
        within = tuple(atom for atom in profile.sizes if atom[0] <= demand.record_limit)
        # Shares are rounded, so that their sum may lack a trifle.
        self.oversized = max(0.0, round(1.0 - sum(share for _, share in within), 9))
        sizes = tuple((size, share / (1.0 - self.oversized)) for size, share in within) or profile.sizes
        traffic = Traffic(self.rate, sizes, cv, aggregation, demand.record_limit, company)
        self.law = StreamLaw(traffic, limits, self.keys.scales)

    def volume(self, loads: Loads) -> Floats:
        """Return the bytes a second that each shard's readers have to keep up with, by placement."""
        return self.law.volume((loads.bytes if loads.read is None else loads.read) * self.rate)

    def fits(self, loads: Loads, throttled: Floats | None = None) -> Bools:
        """Return which placements fit the demand, by placement and reading (in the order of ENFORCEMENTS).

        Args:
            loads: The placements.
            throttled: What ``law.throttled`` returned for them, if it is known.
        """
        read = self.demand.readers.keep_up(self.volume(loads), self.limits)
        throttled = self.law.throttled(loads) if throttled is None else throttled
        bears: Bools = (throttled <= TARGET) & read[:, None]
        return bears

    def binding(self, shards: int | None = None) -> Binding:
        """Return the limit that is nearest where each of so many shards has its mean load.

        Args:
            shards: How many; by default so many that each is full, which leaves readers out of account.
        """
        if shards is None:
            return self.law.binding
        mean = np.array([self.rate / shards])
        volume, readers = self.law.volume(mean), self.demand.readers
        used: dict[Binding, float] = {
            "records": float(self.law.kinesis_records(mean)[0]) / self.limits.records_per_second,
            "bytes": float(volume[0]) / self.limits.bytes_per_second,
            "reads": float(readers.used(volume, self.limits)[0]) / readers.most_used,
        }
        return max(used, key=lambda name: used[name])
