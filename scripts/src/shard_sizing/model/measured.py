"""What was seen of a live stream: its profile, and the load of each of its shards second by second."""

from collections import Counter
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.data_files import Limits
from shard_sizing.model.profile import Floats, HashLoad, Profile, Rates

HASH_PARTS: Final = 1_024
"""Equal parts of the hash space in which a measured load is told."""

_HASH_BITS: Final = 128
_PART_SHIFT: Final = _HASH_BITS - HASH_PARTS.bit_length() + 1


class ShardLoad(msgspec.Struct, frozen=True):
    """One shard's load.

    Attributes:
        shard_id: The shard.
        start: Its first hash key, in decimal.
        end: Its last hash key, in decimal.
        records: Kinesis records per second, aggregates counted as one: what the limit counts.
        bytes: Bytes per second, partition keys included.
        used_p99: Load over the limit that is nearer, in the second at the 99th percentile.
        used_max: The same in the busiest second.
        behind_millis: How far the last answer was behind the tip.
        read_throttled: Calls of this measurement that were refused because others read the shard too.
    """

    shard_id: str
    start: str
    end: str
    records: Rates
    bytes: Rates
    used_p99: float
    used_max: float
    behind_millis: int
    read_throttled: int


class Measured(Profile, frozen=True, kw_only=True):
    """A profile of a live stream; every command that reads a profile reads this one.

    Attributes:
        stream: The stream.
        seconds: How long it was read.
        kinesis_records: Kinesis records read; ``records`` are the user records in them.
        aggregated: Share of the Kinesis records that were aggregates.
        corrupt: Aggregates that could not be opened; each counts as one record under its own key.
        throttled_writes: Writes refused in that time, as CloudWatch tells; None where it was not to be asked.
        shards: Each shard that was read.
    """

    stream: str
    seconds: float
    kinesis_records: int
    aggregated: float
    corrupt: int
    throttled_writes: int | None
    shards: tuple[ShardLoad, ...]

    @property
    def busiest(self) -> ShardLoad:
        """The shard that comes nearest to its limit."""
        return max(self.shards, key=lambda shard: (shard.used_p99, shard.used_max))


class ShardCounter:
    """Adds up one shard's Kinesis records, second by second."""

    def __init__(self) -> None:
        self._records: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()

    def add(self, at: float, size: int) -> None:
        """Count a Kinesis record.

        Args:
            at: Its arrival, in seconds since 1970.
            size: Its bytes, the partition key included.
        """
        self._records[int(at)] += 1
        self._bytes[int(at)] += size

    def rates(self, first: int, seconds: int, limits: Limits) -> tuple[Rates, Rates, float, float]:
        """Return records and bytes per second, and the load over the limit at p99 and at most."""
        records = np.array([self._records[first + i] for i in range(seconds)], dtype=np.float64)
        volume = np.array([self._bytes[first + i] for i in range(seconds)], dtype=np.float64)
        used = np.maximum(records / limits.records_per_second, volume / limits.bytes_per_second)
        return _rates(records), _rates(volume), float(np.percentile(used, 99)), float(used.max())


class HashCounter:
    """Adds up load by where it lies in the hash space."""

    def __init__(self) -> None:
        self._records = np.zeros(HASH_PARTS)
        self._bytes = np.zeros(HASH_PARTS)

    def add(self, hash_key: int, size: int) -> None:
        """Count a user record."""
        part = hash_key >> _PART_SHIFT
        self._records[part] += 1
        self._bytes[part] += size

    def load(self, limits: Limits, *, aggregated: bool) -> HashLoad:
        """Return where the load lies; records or bytes, whichever binds, and bytes where aggregated."""
        records, volume = self._records.sum(), self._bytes.sum()
        by_bytes = aggregated or volume / limits.bytes_per_second >= records / limits.records_per_second
        parts = self._bytes / volume if by_bytes else self._records / records
        return HashLoad("bytes" if by_bytes else "records", tuple(parts.round(6).tolist()))


def _rates(counts: Floats) -> Rates:
    p50, p99, p999 = (float(x) for x in np.percentile(counts, [50, 99, 99.9]))
    return Rates(float(counts.mean()), p50, p99, p999)
