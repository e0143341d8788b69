"""Many values in little memory: counts in buckets that are 6 % wide, with the exact least and greatest."""

from collections.abc import Iterator
from math import frexp
from typing import Final

import msgspec

_PER_OCTAVE: Final = 16
_LOWEST, _HIGHEST = -24, 72
"""Powers of two between which values are distinguished: from 60 billionths to 4 sextillions."""

_ZERO: Final = (_LOWEST - 1) * _PER_OCTAVE


class Bucket(msgspec.Struct, array_like=True):
    """Values that are nearly the same.

    Attributes:
        count: How many.
        total: Their sum, so that a bucket of equal values gives them back as they were.
    """

    count: int = 0
    total: float = 0.0


class Distribution(msgspec.Struct):
    """How the values of a period are distributed. At most 1,600 buckets, whatever the values are.

    Attributes:
        count: How many values there were.
        total: Their sum.
        least: The least of them; meaningless while there is none.
        greatest: The greatest of them.
        buckets: Them, by the place of their bucket.
    """

    count: int = 0
    total: float = 0.0
    least: float = 0.0
    greatest: float = 0.0
    buckets: dict[int, Bucket] = {}

    def add(self, value: float, times: int = 1) -> None:
        """Take in a value; one below 0, such as a duration across a clock's step back, counts as 0."""
        if value <= 0:
            value, index = 0.0, _ZERO
        else:
            mantissa, exponent = frexp(value)
            index = exponent * _PER_OCTAVE + int(mantissa * 2 * _PER_OCTAVE)
            if not _LOWEST <= exponent <= _HIGHEST:
                index = _ZERO + 1 if exponent < _LOWEST else (_HIGHEST + 3) * _PER_OCTAVE
        bucket = self.buckets.get(index)
        if bucket is None:
            bucket = self.buckets[index] = Bucket()
        bucket.count += times
        bucket.total += value * times
        self._widen(value, value)
        self.count += times
        self.total += value * times

    def merge(self, other: "Distribution") -> None:
        """Take in all values of another one."""
        for bucket, theirs in other.buckets.items():
            ours = self.buckets.setdefault(bucket, Bucket())
            ours.count += theirs.count
            ours.total += theirs.total
        if other.count:
            self._widen(other.least, other.greatest)
        self.count += other.count
        self.total += other.total

    def counted(self) -> Iterator[tuple[float, int]]:
        """The values in ascending order, each bucket's mean for all of its values, and how many they are."""
        for index in sorted(self.buckets):
            bucket = self.buckets[index]
            yield bucket.total / bucket.count, bucket.count

    def values(self, limit: int) -> list[float]:
        """At most ``limit`` values, ascending, that represent all of them.

        Where there were more, the values at evenly spread ranks: percentiles and the mean hold, sum and count
        do not.

        Args:
            limit: At least 2.
        """
        wanted = max(1, min(self.count, limit))
        ranks = ((2 * number + 1) * self.count // (2 * wanted) for number in range(wanted))
        found: list[float] = []
        passed, rank = 0, next(ranks, None)
        for value, count in self.counted():
            passed += count
            while rank is not None and rank < passed:
                found.append(value)
                rank = next(ranks, None)
        if found:
            found[0], found[-1] = self.least, self.greatest
        return found

    def _widen(self, least: float, greatest: float) -> None:
        if not self.count or least < self.least:
            self.least = least
        if not self.count or greatest > self.greatest:
            self.greatest = greatest
