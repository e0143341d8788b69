"""A whole stream on its shards: the share of seconds in which any of them is throttled."""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec
import numpy as np

from shard_sizing.model.data_files import Limits
from shard_sizing.model.law.aggregation import Aggregation, aggregated_bytes
from shard_sizing.model.law.compound import Arrivals, arrivals
from shard_sizing.model.law.shard_law import (
    ENFORCEMENTS,
    POINTS,
    Enforcement,
    Meter,
    MeterLaw,
    lattice,
    spread,
    strained,
)
from shard_sizing.model.workload.keys import Loads
from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.sizes import Atoms

LARGE_TANK_BYTES: Final = 10 * 2**20
"""What a shard takes at once of a stream with large records, on average its limit ("burst up to 10 MiB", AWS,
Handle large records)."""

DEFAULT_RECORD_LIMIT: Final = 2**20
"""The largest record of a stream whose maximum record size was not raised, in bytes (Kinesis API)."""

_SCALES: Final = 5
_SMALLEST_STEP: Final = 1.05  # between two scales that are distinguished


class Traffic(msgspec.Struct, frozen=True):
    """What reaches a stream.

    Attributes:
        rate: User records a second.
        sizes: Histogram of their bytes, keys included.
        burst_cv: Coefficient of variation of the seconds' rates, beyond chance.
        aggregation: How producers aggregate; None if each user record is a Kinesis record.
        record_limit: The stream's maximum record size in bytes.
        company: Mean number of other records of its key in a record's second, beyond chance: records
            arrive in clumps of so many and one.
    """

    rate: float
    sizes: Atoms
    burst_cv: float
    aggregation: Aggregation | None = None
    record_limit: int = DEFAULT_RECORD_LIMIT
    company: float = 0.0

    @property
    def record_bytes(self) -> float:
        """Mean bytes of a user record."""
        return sum(size * share for size, share in self.sizes)


class StreamLaw:
    """Computes for any placement how much of the time a stream is throttled.

    Args:
        traffic: What reaches the stream.
        limits: What a shard takes.
        scales: The least and the largest mean size of one key's records, over the stream's.

    Attributes:
        traffic: As given.
        full: User records a second that fill a shard.
        records: The limit of records.
        large: Whether the stream is set to take records over 1 MiB. AWS takes them by a burst: a tank is
            the only possible reading for them, and a fixed window holds for the others.
    """

    def __init__(self, traffic: Traffic, limits: Limits, scales: tuple[float, float] = (1.0, 1.0)) -> None:
        # A record of 1 MiB is one that a shard takes each second, whichever megabyte AWS means.
        sizes = tuple(
            (
                float(limits.bytes_per_second)
                if limits.bytes_per_second < size <= DEFAULT_RECORD_LIMIT
                else size,
                share,
            )
            for size, share in traffic.sizes
        )
        traffic = msgspec.structs.replace(traffic, sizes=sizes)
        self.traffic = traffic
        self._limits = limits
        by_records = np.inf if traffic.aggregation else limits.records_per_second
        self.full = float(min(by_records, limits.bytes_per_second / traffic.record_bytes))
        self.large = traffic.record_limit > DEFAULT_RECORD_LIMIT
        self._rates = lattice(self.full)
        # Aggregates hold the records of a clump together; a tank takes large records whenever they come.
        record_clump = 1.0 if traffic.aggregation else 1.0 + traffic.company
        self._clump = 1.0 if self.large else 1.0 + traffic.company
        self.records = MeterLaw(
            Meter(
                limits.records_per_second,
                limits.records_per_second,
                Arrivals(
                    self.kinesis_records(self._rates) / record_clump,
                    np.full((1, 1), record_clump),
                    np.ones(1),
                ),
            ),
            traffic.burst_cv,
        )
        self._bytes: dict[tuple[float, bool], MeterLaw] = {}
        low, high = scales
        steps = _SCALES if high > low * _SMALLEST_STEP else 1
        self._scales = tuple(np.geomspace(low, high, steps).tolist()) if steps > 1 else (high,)

    @property
    def binding(self) -> Literal["records", "bytes"]:
        """The limit that a full shard reaches first: ``records`` or ``bytes``."""
        records = float(self.kinesis_records(np.array([self.full]))[0]) / self._limits.records_per_second
        volume = self.volume(np.array([self.full]))[0] / self._limits.bytes_per_second
        return "records" if records >= volume else "bytes"

    @property
    def lump_bytes(self) -> float:
        """The size of the record that a mean byte is in."""
        return sum(size * size * share for size, share in self.traffic.sizes) / self.traffic.record_bytes

    def kinesis_records(self, rates: Floats) -> Floats:
        """Return the most Kinesis records a second on shards with these user records a second."""
        packing = self.traffic.aggregation
        return packing.most_kinesis_records(rates, self.traffic.record_bytes) if packing else rates

    def volume(self, rates: Floats) -> Floats:
        """Return the bytes a second on shards with these user records a second, of the mean size."""
        mean = self.traffic.record_bytes
        if self.traffic.aggregation is None:
            volume: Floats = rates * mean
            return volume
        return aggregated_bytes(rates, self.kinesis_records(rates), mean)

    def throttled(self, loads: Loads, rate: float | None = None) -> Floats:
        """Return the share of seconds in which any shard is throttled, by placement and reading.

        Args:
            loads: The shards' shares.
            rate: User records a second of the whole stream, if not those of ``traffic``.

        Returns:
            An array of placements x readings, these in the order of ``ENFORCEMENTS``.
        """
        rate = self.traffic.rate if rate is None else rate
        times = np.ones(loads.records.shape) if loads.times is None else loads.times
        counts = {"records": _counts(loads.records * rate, times, self.full)}
        scales = {}
        for scale, weights in self._by_scale(loads):
            same = weights is None and loads.bytes is loads.records
            part = times if weights is None else times * weights
            counted = counts["records"] if same else _counts(loads.bytes * rate, part, self.full)
            if counted.any():
                scales[scale] = counts[str(scale)] = counted
        idle = not self.large and all(
            self._bytes_law(scale, small=False).idle(counted) for scale, counted in scales.items()
        )
        laws = {} if idle else {str(scale): self._bytes_law(scale, small=False) for scale in scales}
        bucket = strained({"records": self.records, **laws}, counts, "token-bucket")
        small = {} if idle else {str(scale): self._bytes_law(scale, small=self.large) for scale in scales}
        window = strained({"records": self.records, **small}, counts, "fixed-window")
        if self.large:
            window = np.minimum(1.0, window + strained(laws, counts, "token-bucket"))
        by_reading: dict[Enforcement, Floats] = {"token-bucket": bucket, "fixed-window": window}
        return np.stack([by_reading[reading] for reading in ENFORCEMENTS], axis=1)

    def by_bytes(self, scale: float) -> MeterLaw:
        """Return the limit of bytes for shards whose records are so much larger than the stream's."""
        nearest = min(self._scales, key=lambda each: abs(np.log(each / scale)))
        return self._bytes_law(nearest, small=False)

    def _by_scale(self, loads: Loads) -> Iterator[tuple[float, Floats | None]]:
        """Yield each scale of sizes, and how much of each shard belongs to it, if not all."""
        if loads.scale is None or len(self._scales) == 1:
            yield self._scales[-1], None
            return
        scales = np.array(self._scales)
        index = np.clip(np.searchsorted(scales, loads.scale, side="right") - 1, 0, scales.size - 2)
        above = np.clip((loads.scale - scales[index]) / (scales[index + 1] - scales[index]), 0.0, 1.0)
        for i, scale in enumerate(self._scales):
            yield scale, np.where(index == i, 1.0 - above, 0.0) + np.where(index == i - 1, above, 0.0)

    def _bytes_law(self, scale: float, *, small: bool) -> MeterLaw:
        if (scale, small) not in self._bytes:
            limit = self._limits.bytes_per_second
            these = self._byte_arrivals(scale)
            if small:
                within = np.array([size * scale <= limit for size, _ in self.traffic.sizes])
                these = Arrivals(
                    these.events * max(float(these.shares[within].sum()), 1e-12),
                    these.sizes[:, within] if within.any() else np.ones((1, 1)),
                    these.shares[within] / these.shares[within].sum() if within.any() else np.ones(1),
                )
            depth = LARGE_TANK_BYTES if self.large else limit
            self._bytes[scale, small] = MeterLaw(Meter(limit, depth, these), self.traffic.burst_cv)
        return self._bytes[scale, small]

    def _byte_arrivals(self, scale: float) -> Arrivals:
        """Return what counts against the limit of bytes, by rate, the bytes of it given by the rate."""
        traffic = self.traffic
        packing = traffic.aggregation
        if packing is None:
            sizes, shares = (np.array(column) for column in zip(*traffic.sizes, strict=True))
            scaled = np.minimum(sizes * scale, sizes[-1])  # no record is larger than the largest
            events = self._rates * float(sizes @ shares / (scaled @ shares)) / self._clump
            return Arrivals(events, scaled[None, :] * self._clump, shares)
        mean, rates = traffic.record_bytes, self._rates
        lump = self.lump_bytes * scale * self._clump
        kinesis, volume = self.kinesis_records(rates), self.volume(rates)
        # What a second holds varies by its user records, and at its edges by a part of one aggregate of each
        # producer. Sizes are scaled so that their variance is the sum of both.
        one, each = volume / kinesis, kinesis / packing.producers
        edges = packing.producers * np.minimum(0.25, each * np.maximum(0.25, 1.0 - each))
        company = np.clip(1.0 - kinesis / rates, 0.0, 1.0)
        variance = volume * lump * volume / (rates * mean) + company * edges * one * one
        scales = variance / volume / (lump / scale)
        return arrivals(volume / (scales * mean), traffic.sizes, scales)


def _counts(rates: Floats, times: Floats, full: float) -> Floats:
    """Count the shards at each rate of the lattice, by placement."""
    low, at, above = spread(rates, full)
    placements = rates.shape[0]
    index = (low + np.arange(placements)[:, None] * POINTS).ravel()
    weights = np.concatenate([(at * times).ravel(), (above * times).ravel()])
    counted = np.bincount(np.concatenate([index, index + 1]), weights, placements * POINTS)
    return counted.reshape(placements, POINTS).astype(np.float64)
