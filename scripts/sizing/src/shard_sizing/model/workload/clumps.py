"""Keys that come in clumps: what the heaviest keys bring in the busy seconds, minutes and hours.

A key's share of a whole file says nothing of how it comes. An order has all of its lines in one minute, and
then no more: its share of a month is nothing, and its share of the busiest minute may be all of it. A *clump*
is the records of one key in one interval, where they are more than its share of the file makes likely.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from shard_sizing.model.workload.peaks import Interval, parsed_peak

RANKS: Final = 16
"""Keys of an interval, heaviest first, whose clumps a profile keeps."""


class Clump(msgspec.Struct, frozen=True):
    """What the heaviest key of an interval brings, or the second heaviest, and so on.

    Attributes:
        key: The key that brought so many records; others may have brought so many bytes.
        records: Records per second in its busiest second; where seconds are not known, over the interval.
        bytes: The same in bytes.
        lasting_records: Records per second over the whole interval; those of a longer one, if they are more.
        lasting_bytes: The same in bytes.
    """

    key: str
    records: float
    bytes: float
    lasting_records: float
    lasting_bytes: float

    @property
    def lasting(self) -> "Clump":
        """The clump as it is over the whole interval, for what may be late by less than that."""
        return Clump(
            self.key, self.lasting_records, self.lasting_bytes, self.lasting_records, self.lasting_bytes
        )


class Clumps(msgspec.Struct, frozen=True):
    """The clumps of all intervals of one length, idle ones included, heaviest first.

    Attributes:
        p99: Each is exceeded in one of a hundred intervals.
        p999: Each is exceeded in one of a thousand.
        max: The largest of all.
        company: Mean number of other records of its key that come in the same interval as a record, beyond
            those that the shares of the keys and chance make likely; 0 where it is within chance.
        error: Records per second that a key may have had in an interval without being seen; above 0 only
            where the input is not in the order of its times.
    """

    p99: tuple[Clump, ...] = ()
    p999: tuple[Clump, ...] = ()
    max: tuple[Clump, ...] = ()
    company: float = 0.0
    error: float = 0.0

    def times(self, records: float, size: float) -> "Clumps":
        """Return the clumps with more records a second, each record of another size, by these factors."""

        def scaled(clump: Clump) -> Clump:
            volume = records * size
            return Clump(
                clump.key,
                clump.records * records,
                clump.bytes * volume,
                clump.lasting_records * records,
                clump.lasting_bytes * volume,
            )

        p99, p999, largest = (tuple(map(scaled, each)) for each in (self.p99, self.p999, self.max))
        return Clumps(p99, p999, largest, self.company * records, self.error * records)


ClumpsByInterval = Mapping[Interval, Clumps]


def clumps_at(found: ClumpsByInterval, peak: str) -> tuple[Clump, ...]:
    """Return the clumps of a peak by its name, such as ``p99.9-minute``; none for the mean and the median."""
    parsed = parsed_peak(peak)
    if parsed is None or parsed[0] == "p50" or parsed[1] not in found:
        return ()
    clumps: tuple[Clump, ...] = getattr(found[parsed[1]], parsed[0])
    return clumps
