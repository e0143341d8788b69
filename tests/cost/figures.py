"""What was counted, in USD by order, operation and message; and the comparison with what is committed."""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from cost.meter import Billed
from orderstream.aws.billing import UNITS, by_service
from orderstream_workers.cost.estimate import MAIL

TOLERANCE: Final = 0.05
"""A figure that is dearer than the committed one by more than this share breaks the build."""
_NOTABLE: Final = 0.01
"""Of the whole: a service with less is not judged by itself."""
_CAUSES: Final = {"POST /orders": "OrderPlaced", "POST /orders/cancel": "OrderCancellationRequested"}


@dataclass(frozen=True)
class PlayedOrder:
    """One order that was played.

    Attributes:
        lines: Its lines that take stock.
        taken: What was billed for it.
    """

    lines: int
    taken: Mapping[Billed, float]

    def units(self) -> dict[str, float]:
        """Amounts by the name of the unit."""
        sums: Counter[str] = Counter()
        for key, amount in self.taken.items():
            sums[key.unit] += amount  # type: ignore[assignment]
        return dict(sums)

    def usd(self, prices: Mapping[str, float]) -> dict[str, float]:
        """USD by service."""
        return by_service(self.units(), prices)


class Figures(msgspec.Struct, frozen=True):
    """What orders cost.

    Attributes:
        date: When this was counted.
        region: Whose prices these are.
        prices: The date of the price file.
        median: USD by service of the order whose sum is the month's median.
        p99: The same at the 99th percentile of lines.
        one_line: The same of an order of one line.
        operations: USD of the mean order of the month, by application, message and operation.
    """

    date: str
    region: str
    prices: str
    median: dict[str, float]
    p99: dict[str, float]
    one_line: dict[str, float]
    operations: dict[str, float]


def median_order(orders: Sequence[PlayedOrder], prices: Mapping[str, float]) -> dict[str, float]:
    """USD by service of the order whose sum is the median."""
    in_turn = sorted((order.usd(prices) for order in orders), key=lambda usd: sum(usd.values()))
    return rounded(in_turn[len(in_turn) // 2])


def mean_operations(orders: Sequence[PlayedOrder], prices: Mapping[str, float]) -> dict[str, float]:
    """USD of the mean order by application, message and operation, the dearest first."""
    sums: Counter[str] = Counter()
    for order in orders:
        for key, amount in order.taken.items():
            name = f"{key.application}, {key.message}: {key.operation}"
            sums[name] += amount * prices[key.unit] / len(orders)  # type: ignore[assignment]
    return {name: usd for name, usd in rounded(dict(sums.most_common())).items() if usd}


def rounded(usd: Mapping[str, float]) -> dict[str, float]:
    """To a hundred-millionth of a cent."""
    return {name: round(each, 10) for name, each in usd.items()}


def dearer(now: Figures, committed: Figures) -> list[str]:
    """What is dearer than it may be, in words; then the operations that grew. Empty if nothing is."""
    told = []
    for name in ("median", "p99", "one_line"):
        before, after = getattr(committed, name), getattr(now, name)
        judged = {"total": (sum(before.values()), sum(after.values()))} | {
            service: (before.get(service, 0.0), usd)
            for service, usd in after.items()
            if usd > _NOTABLE * sum(before.values())
        }
        told += [
            f"{name.replace('_', '-')} order, {part}: {usd:.3e} USD, was {was:.3e}{_percent(was, usd)}"
            for part, (was, usd) in judged.items()
            if usd > was * (1 + TOLERANCE)
        ]
    return [*told, *_grown(now, committed)] if told else []


def _grown(now: Figures, committed: Figures) -> Iterator[str]:
    grown = {
        name: (committed.operations.get(name, 0.0), usd)
        for name, usd in now.operations.items()
        if usd > committed.operations.get(name, 0.0) * (1 + TOLERANCE)
    }
    for name, (was, usd) in sorted(grown.items(), key=lambda item: item[1][0] - item[1][1])[:5]:
        yield f"  grew: {name}: {usd:.3e} USD a mean order, was {was:.3e}{_percent(was, usd)}"


def _percent(was: float, usd: float) -> str:
    return f" ({usd / was - 1:+.0%})" if was else " (new)"


def units_per_message(orders: Sequence[PlayedOrder]) -> dict[str, dict[str, tuple[float, float]]]:
    """What a message causes in all applications: of each unit so many, and so many more for each line."""
    seen: dict[str, list[tuple[int, Counter[str]]]] = {}
    for order in orders:
        of_order: dict[str, Counter[str]] = {}
        for key, amount in order.taken.items():
            cause = _CAUSES.get(key.message, key.message)
            of_order.setdefault(cause, Counter())[key.unit] += amount  # type: ignore[assignment]
        for message, units in of_order.items():
            seen.setdefault(message, []).append((order.lines, units))
    return {
        message: {
            unit: fitted
            for unit in UNITS
            if unit != MAIL
            and (fitted := _line([(lines, units[unit]) for lines, units in found])) != (0.0, 0.0)
        }
        for message, found in sorted(seen.items())
    }


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Least squares; flat where all orders have the same lines."""
    lines, amounts = [float(x) for x, _ in points], [y for _, y in points]
    if len(set(lines)) == 1:
        return round(statistics.fmean(amounts), 3), 0.0
    slope, intercept = statistics.linear_regression(lines, amounts)
    return round(intercept, 3), round(slope, 4)
