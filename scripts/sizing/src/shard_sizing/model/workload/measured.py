"""What was seen of a live stream: its profile, and the load of each of its shards second by second."""

from collections import Counter
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.data_files import Limits
from shard_sizing.model.workload.arrivals import Arrivals
from shard_sizing.model.workload.history import History
from shard_sizing.model.workload.peaks import Rates, rates_of
from shard_sizing.model.workload.profile import HashLoad, KinesisRecords, Profile
from shard_sizing.model.workload.sizes import SizeCounter

HASH_PARTS: Final = 1_024
"""Equal parts of the hash space for which a measured load is recorded."""

_HASH_BITS: Final = 128
_BATCH: Final = 10_000
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
        behind_millis: How far the last response was behind the tip.
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
        corrupt: Aggregates that could not be deaggregated; each counts as one record under its own key.
        throttled_writes: Writes refused in that time, from CloudWatch; None where it was not to be called.
        shards: Each shard that was read.
        history: What CloudWatch says of the stream's past, if it was asked; ``rate``, ``peaks``, ``daily``
            and ``seconds`` are then of that time.
    """

    stream: str
    corrupt: int
    throttled_writes: int | None
    shards: tuple[ShardLoad, ...]
    history: History | None = None

    @property
    def busiest(self) -> ShardLoad:
        """The shard that comes nearest to its limit."""
        return max(self.shards, key=lambda shard: (shard.used_p99, shard.used_max))


def over_history(found: Measured, past: History) -> Measured:
    """Return a measurement with the rates of its stream's past: keys, sizes and bursts are as measured.

    User records are taken to share Kinesis records in the past as they do now.
    """
    if found.kinesis is None or not past.records_per_second:
        return msgspec.structs.replace(found, history=past)
    each = found.records / found.kinesis.records
    kinesis = msgspec.structs.replace(found.kinesis, rate=past.records_per_second, peaks=past.peaks)
    return msgspec.structs.replace(
        found,
        rate=past.records_per_second * each,
        peaks=past.peaks.times(each),
        daily=past.daily,
        seconds=past.seconds,
        kinesis=kinesis,
        history=past,
    )


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
        return rates_of(records), rates_of(volume), float(np.percentile(used, 99)), float(used.max())


class KinesisCounter:
    """Adds up a stream's Kinesis records: what its limits and its bill count."""

    def __init__(self) -> None:
        self._arrivals = Arrivals()
        self._sizes = SizeCounter()
        self._times: list[float] = []
        self._lengths: list[int] = []
        self._aggregates = 0
        self.records = 0

    def add(self, at: float, size: int, *, aggregate: bool) -> None:
        """Count a Kinesis record by its arrival, in seconds since 1970, and its bytes, key included."""
        self._times.append(at)
        self._lengths.append(size)
        self._aggregates += aggregate
        self.records += 1
        if len(self._times) == _BATCH:
            self._flush()

    def found(self, span: tuple[int, int]) -> KinesisRecords:
        """Return what was counted, at least one record, over a span of seconds, the last included."""
        self._flush()
        arrived, sizes = self._arrivals.over(*span), self._sizes.sizes()
        return KinesisRecords(
            records=self.records,
            rate=self.records / arrived.seconds,
            record_bytes=sizes.mean,
            aggregated=self._aggregates / self.records,
            peaks=arrived.peaks(),
            sizes=sizes.atoms,
            kib_units=sizes.kib_units,
            put_units=sizes.put_units,
            max_bytes=sizes.max,
        )

    def _flush(self) -> None:
        if self._times:
            self._arrivals.add(np.array(self._times))
            self._sizes.add(np.array(self._lengths))
            self._times, self._lengths = [], []


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

    def load(self) -> HashLoad:
        """Return the share of all records, and of all bytes, in each part."""
        shares = [counted / max(1.0, counted.sum()) for counted in (self._records, self._bytes)]
        return HashLoad(*(tuple(parts.round(6).tolist()) for parts in shares))
