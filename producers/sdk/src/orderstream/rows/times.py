"""Times as files write them: ISO 8601, or numbers since 1970 whose unit shows in their size."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

_UNITS: Final = (
    (1e11, 1.0, "seconds"),
    (1e14, 1e3, "milliseconds"),
    (1e17, 1e6, "microseconds"),
    (1e20, 1e9, "nanoseconds"),
)
"""Numbers below the first are of the unit named last; between them is how many of it make a second.

10^11 seconds since 1970 is the year 5138, and 10^11 milliseconds is 1973."""

_SMALLEST: Final = 1e8
"""Smaller numbers are seconds from any beginning; in seconds since 1970 this is 1973."""


class TimeColumn:
    """Reads the times of one column; all of them must be written the same way.

    The first value decides: a number is taken as seconds, milliseconds, microseconds or nanoseconds since
    1970 by its size, everything else as ISO 8601, with a zone or without one. Times without a zone are read
    as UTC: only the differences between times count.
    """

    def __init__(self) -> None:
        self._kind: str | None = None
        self._per_second = 1.0
        # Numbers in between are of the unit of those before: one look a row, and a file has millions.
        self._least, self._most = math.inf, -math.inf

    def seconds(self, value: Any) -> float:
        """A time in seconds.

        Args:
            value: Text or number.

        Raises:
            ValueError: it is no time, or written in another way than the first one.
        """
        try:
            number = float(value)
        except (TypeError, ValueError):
            return self._iso(str(value))
        if self._least <= number < self._most:
            return number / self._per_second
        if not math.isfinite(number):
            raise ValueError(f"{value} is no time")
        size = abs(number)
        if self._kind is None:
            self._begin(value, size)
        elif size >= _SMALLEST and (kind := _unit(size)[1]) != self._kind:
            raise ValueError(f"{value} reads as {kind}, the times before it as {self._kind}; use one unit")
        elif self._kind.startswith("ISO"):
            raise ValueError(f"{value} is a number, the times before it are {self._kind}; use one kind")
        return number / self._per_second

    def all_seconds(self, values: Sequence[Any]) -> list[float] | None:
        """Many times in seconds, which is faster than one by one.

        Returns:
            None unless they are numbers of the unit that the times before have shown: ``seconds`` then says
            of each what is right or wrong with it.
        """
        try:
            numbers = list(map(float, values))
        except (TypeError, ValueError):
            return None
        total, least, most = sum(numbers), min(numbers, default=0.0), max(numbers, default=0.0)
        if math.isnan(total) or not self._least <= least <= most < self._most:
            return None
        return numbers if self._per_second == 1.0 else [number / self._per_second for number in numbers]

    def _begin(self, value: Any, size: float) -> None:
        self._per_second, self._kind = _unit(max(size, _SMALLEST))
        if not self._kind:
            raise ValueError(f"{value} is no time since 1970 in any unit from seconds to nanoseconds")
        self._most = next(below for below, _, kind in _UNITS if kind == self._kind)
        self._least = -self._most if self._kind == "seconds" else self._most / 1e3

    def _iso(self, text: str) -> float:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"{text!r} is no time: write ISO 8601, such as 2026-11-29T12:00:00, or a number since 1970"
            ) from None
        kind = "ISO 8601 without a zone" if at.tzinfo is None else "ISO 8601 with a zone"
        if self._kind is None:
            self._kind = kind
        elif self._kind != kind:
            raise ValueError(f"{text} is {kind}, the times before it are {self._kind}; use one kind")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _unit(size: float) -> tuple[float, str]:
    for below, per_second, name in _UNITS:
        if size < below:
            return per_second, name
    return 1.0, ""
