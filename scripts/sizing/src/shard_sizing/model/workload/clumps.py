"""Keys that come in clumps: what the heaviest keys bring in the busy seconds, minutes and hours.

A key's share of a whole file says nothing of how it comes. An order has all of its lines in one minute, and
then no more: its share of a month is nothing, and its share of the busiest minute may be all of it. A *clump*
is the records of one key in one interval, where they are more than its share of the file makes likely.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from shard_sizing.model.workload.peaks import Interval, parsed_peak

_SINGLE: Final = 16  # the heaviest keys of an interval, each by itself
_DOUBLINGS: Final = 6  # beyond them: to the 1,024th
_BLOCKS: Final = 4  # of ranks in a doubling


def _ranks() -> Iterator[tuple[int, int]]:
    yield from ((rank, 1) for rank in range(_SINGLE))
    for doubling in range(_DOUBLINGS):
        first, size = _SINGLE << doubling, (_SINGLE << doubling) // _BLOCKS
        yield from ((first + block * size + (size - 1) // 2, size) for block in range(_BLOCKS))


RANKS: Final = tuple(_ranks())
"""Ranks among the keys of an interval, from 0, whose clumps a profile keeps, and for how many ranks around it
each represents: the heaviest by themselves, then blocks that grow."""


class Clump(msgspec.Struct, frozen=True):
    """What the heaviest key of an interval brings, or the second heaviest, and so on.

    Attributes:
        key: The key that brought so many records; others may have brought so many bytes.
        records: Records per second in its busiest second; where seconds are not known, over the interval.
        bytes: The same in bytes.
        lasting_records: Records per second over the whole interval; those of a longer one, if they are more.
        lasting_bytes: The same in bytes.
        keys: How many keys bring so much each; ranks are counted together.
    """

    key: str
    records: float
    bytes: float
    lasting_records: float
    lasting_bytes: float
    keys: int = 1

    @property
    def lasting(self) -> "Clump":
        """The clump as it is over the whole interval, for what may be late by less than that."""
        return replace(self, records=self.lasting_records, bytes=self.lasting_bytes)


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
            return replace(
                clump,
                records=clump.records * records,
                bytes=clump.bytes * volume,
                lasting_records=clump.lasting_records * records,
                lasting_bytes=clump.lasting_bytes * volume,
            )

        return self._each(scaled, self.company * records, self.error * records)

    def of_more_keys(self, times: float) -> "Clumps":
        """Return the clumps of so many times the keys, each of which brings what it brought."""
        return self._each(
            lambda clump: replace(clump, keys=max(1, round(clump.keys * times))), self.company, self.error
        )

    def _each(self, changed: Callable[[Clump], Clump], company: float, error: float) -> "Clumps":
        p99, p999, largest = (tuple(map(changed, each)) for each in (self.p99, self.p999, self.max))
        return Clumps(p99, p999, largest, company, error)


ClumpsByInterval = Mapping[Interval, Clumps]


def clumps_at(found: ClumpsByInterval, peak: str) -> tuple[Clump, ...]:
    """Return the clumps of a peak by its name, such as ``p99.9-minute``; none for the mean and the median."""
    parsed = parsed_peak(peak)
    if parsed is None or parsed[0] == "p50" or parsed[1] not in found:
        return ()
    clumps: tuple[Clump, ...] = getattr(found[parsed[1]], parsed[0])
    return clumps
