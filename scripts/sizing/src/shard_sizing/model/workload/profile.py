"""A workload as the model sees it: how much and when, how bursty, how large, and on which keys."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, Final, Literal

import msgspec

from shard_sizing.errors import InputError
from shard_sizing.model.workload.clumps import Clump, ClumpsByInterval, clumps_at
from shard_sizing.model.workload.peaks import Peaks, steady
from shard_sizing.model.workload.sizes import Atoms, Sizes, lognormal_sizes, scaled_sizes
from shard_sizing.model.workload.zipf import Zipf

SCHEMA: Final = "shard-sizing/profile/2"
MAX_RECORD_BYTES: Final = 10 * 1024 * 1024
"""The largest record a stream can be configured to take (Kinesis API, UpdateMaxRecordSize)."""


Growth = Literal["busier-keys", "more-keys"]
"""What a workload grows by: the same keys come more often, or there are more of them."""


class HotKey(msgspec.Struct, frozen=True):
    """A heavy key.

    Attributes:
        key: Its name.
        record_share: Its share of all records, 0 to 1, as far as it is certain.
        byte_share: The same of all bytes.
        error: How much larger the share may be: of records in ``hot_keys``, of bytes in ``hot_by_bytes``.
        recurs: Whether it came in both halves of the span. The position of one that did not, such as an
            order's number, is no help: it is not expected to come again.
    """

    key: str
    record_share: float
    byte_share: float
    error: float = 0.0
    recurs: bool = True


class KeyShare(msgspec.Struct, frozen=True, array_like=True):
    """One of the keys of a profile that knows them all.

    Attributes:
        key: Its name.
        record_share: Its exact share of the records, 0 to 1.
        byte_share: Its exact share of the bytes.
        recurs: As in ``HotKey``.
    """

    key: str
    record_share: float
    byte_share: float
    recurs: bool = True


class HashLoad(msgspec.Struct, frozen=True):
    """The load by its position in the hash space.

    Attributes:
        records: The share of all user records in each of equal parts of the hash space.
        bytes: The same of their bytes.
    """

    records: tuple[float, ...]
    bytes: tuple[float, ...]

    def by(self, what: Literal["records", "bytes"]) -> tuple[float, ...]:
        """Return the shares of records or of bytes."""
        return self.bytes if what == "bytes" else self.records


class KinesisRecords(msgspec.Struct, frozen=True):
    """The Kinesis records that carried a stream's user records: what the limits and the bill count.

    Attributes:
        records: How many there were.
        rate: Mean Kinesis records per second.
        record_bytes: Mean bytes of one, its partition key included.
        aggregated: Share of them that were aggregates.
        peaks: Their rates by interval.
        sizes: Histogram of their bytes; its mean is ``record_bytes``.
        kib_units: As in ``Profile``, of the Kinesis records.
        put_units: As in ``Profile``, of the Kinesis records.
        max_bytes: The largest.
    """

    records: int
    rate: float
    record_bytes: float
    aggregated: float
    peaks: Peaks
    sizes: Atoms
    kib_units: float
    put_units: float
    max_bytes: int


class Profile(msgspec.Struct, frozen=True):
    """One workload, measured or made up; ``profile.json`` is this as JSON.

    Attributes:
        rate: Mean records per second over the span.
        record_bytes: Mean bytes of a record, its key included.
        burst_cv: Coefficient of variation of the rate from second to second within minutes, beyond chance;
            0, and not known, where ``resolution`` is above 1.
        keys: Distinct keys (an estimate beyond 120,000).
        zipf: Skew of the keys.
        sizes: Histogram of the records' bytes, pairs of bytes and share, at most 64 below 64 KiB and 16 for
            each doubling above; its mean is ``record_bytes``.
        kib_units: Mean of each record's KiB, rounded up: what on-demand streams bill.
        put_units: Mean of each record's PUT payload units, rounded up: what provisioned streams bill.
        peaks: The rates by second, minute and hour.
        daily: The rate in each hour of the day over the mean; None if not known.
        clumps: What the heaviest keys bring in the busy seconds, minutes and hours, beyond their shares of
            the whole; an interval that the times do not show is missing.
        seconds: The length of the span; 0 for a made-up workload.
        hot_keys: The keys with the most records whose shares are certain within a tenth; other keys are
            taken to follow the Zipf law.
        hot_by_bytes: The same by bytes.
        key_list: All keys, heaviest by records first, if their number allows; otherwise empty. Where those
            lie that recur is then known exactly.
        records: Records seen; 0 for a made-up workload.
        max_bytes: The largest record.
        resolution: Seconds in whose steps the sampled times were stated.
        key_growth: Keys there are for each that was sampled, if the workload has grown by more keys, each as
            busy as those were; the shares of keys are those of the sampled workload.
        hash_load: Where in the hash space the load lies, if measured on a stream.
        kinesis: The Kinesis records that carried the records, if measured on a stream.
        schema: Name and version of this format.
    """

    rate: float
    record_bytes: float
    burst_cv: float
    keys: int
    zipf: Zipf
    sizes: Atoms
    kib_units: float
    put_units: float
    peaks: Peaks = Peaks()
    daily: tuple[float, ...] | None = None
    clumps: ClumpsByInterval = {}
    seconds: float = 0.0
    hot_keys: tuple[HotKey, ...] = ()
    hot_by_bytes: tuple[HotKey, ...] = ()
    key_list: tuple[KeyShare, ...] = ()
    records: int = 0
    max_bytes: int = 0
    resolution: int = 1
    key_growth: float = 1.0
    hash_load: HashLoad | None = None
    kinesis: KinesisRecords | None = None
    schema: str = SCHEMA

    def __post_init__(self) -> None:
        """Refuse what no workload can be."""
        if self.schema != SCHEMA:
            raise InputError("profile", f"schema {self.schema!r} is not {SCHEMA!r}; sample it again")
        if (
            min(self.rate, self.record_bytes) <= 0
            or self.keys < 1
            or min(self.burst_cv, self.zipf.exponent) < 0
        ):
            raise InputError("profile", "rate, bytes and keys must be positive, burst and skew not negative")
        if not all(map(isfinite, (self.rate, self.record_bytes, self.burst_cv, self.zipf.exponent))):
            raise InputError("profile", "rate, bytes, burst and skew must be finite numbers")
        if max(self.record_bytes, self.max_bytes) > MAX_RECORD_BYTES:
            raise InputError(
                "profile",
                f"Kinesis takes no record over {MAX_RECORD_BYTES:,} bytes; keep large payloads in S3 and "
                "put their address into the stream",
            )

    @property
    def aggregated(self) -> float:
        """Share of the measured Kinesis records that were aggregates; 0 where none were measured."""
        return self.kinesis.aggregated if self.kinesis else 0.0

    def known_keys(self) -> Sequence[HotKey | KeyShare]:
        """Return the keys known by name: all of them, or the heavy ones by records, then those by bytes."""
        if self.key_list:
            return self.key_list
        by_records = {hot.key for hot in self.hot_keys}
        return *self.hot_keys, *(hot for hot in self.hot_by_bytes if hot.key not in by_records)


def rate_at(profile: Profile, peak: str) -> float:
    """Return a rate of a profile by its name, such as ``mean`` or ``p99.9-minute``; see ``Peaks.at``."""
    return profile.peaks.at(peak, profile.rate)


def planned_clumps(profile: Profile, peak: str) -> tuple[Clump, ...]:
    """Return what the heaviest keys bring at a peak, by its name as in ``rate_at``; see ``Clumps``."""
    return clumps_at(profile.clumps, peak)


def grown(profile: Profile, times: float, by: Growth = "busier-keys") -> Profile:
    """Return the same workload at a multiple of its rate, peaks included.

    Args:
        profile: The workload.
        times: The multiple.
        by: Whether the same keys are so much busier, or there are so many more that are as busy.

    Raises:
        InputError: Fewer keys than there are; which of them would be gone is not known.
    """
    if by == "more-keys" and times < 1:
        raise InputError("growth", f"there cannot be {times:g} times as many keys; take busier-keys")
    more = by == "more-keys"
    kinesis = profile.kinesis and msgspec.structs.replace(
        profile.kinesis, rate=profile.kinesis.rate * times, peaks=profile.kinesis.peaks.times(times)
    )
    return msgspec.structs.replace(
        profile,
        rate=profile.rate * times,
        peaks=profile.peaks.times(times),
        clumps=(
            {interval: found.of_more_keys(times) for interval, found in profile.clumps.items()}
            if more
            else _scaled(profile.clumps, times, 1.0)
        ),
        key_growth=profile.key_growth * (times if more else 1.0),
        kinesis=kinesis,
    )


def resized(profile: Profile, factor: float) -> Profile:
    """Return the same workload with every record's bytes multiplied by a factor, e.g. compressed."""
    return msgspec.structs.replace(
        profile,
        clumps=_scaled(profile.clumps, 1.0, factor),
        **_size_fields(scaled_sizes(profile.sizes, factor)),
    )


def synthetic(
    rate: float,
    record_bytes: float,
    zipf: float,
    burst_cv: float,
    keys: int = 100_000,
    *,
    peak: float | None = None,
    bytes_cv: float = 0.0,
) -> Profile:
    """Return a made-up workload.

    Args:
        rate: Mean records per second.
        record_bytes: Mean bytes of a record.
        zipf: Exponent of the Zipf law that the keys follow; 0 is even.
        burst_cv: Coefficient of variation of the rate from second to second.
        keys: Distinct keys.
        peak: Records per second in the busiest minute and hour; by default the load is steady.
        bytes_cv: Coefficient of variation of the sizes, lognormal; 0 makes all equal.

    Raises:
        InputError: No workload can be so.
    """
    if not isfinite(record_bytes) or not 0 < record_bytes <= MAX_RECORD_BYTES:
        sizes = Sizes(record_bytes, ((record_bytes, 1.0),), 1.0, 1.0, 0)  # refused with the reason below
    else:
        sizes = lognormal_sizes(record_bytes, bytes_cv, MAX_RECORD_BYTES)
    law = Zipf(zipf, zipf, zipf)
    return Profile(
        rate, burst_cv=burst_cv, keys=keys, zipf=law, peaks=steady(rate, peak), **_size_fields(sizes)
    )


def _scaled(clumps: ClumpsByInterval, records: float, size: float) -> ClumpsByInterval:
    return {interval: found.times(records, size) for interval, found in clumps.items()}


def _size_fields(sizes: Sizes) -> dict[str, Any]:
    return {
        "record_bytes": sizes.mean,
        "sizes": sizes.atoms,
        "kib_units": sizes.kib_units,
        "put_units": sizes.put_units,
        "max_bytes": sizes.max,
    }
