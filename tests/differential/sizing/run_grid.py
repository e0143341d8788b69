"""Play the property grid: ``make sizing-grid``.

Exit status 1 if an answer of ``size`` does not hold.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, fsum

from differential.sizing.advice import Advice, advice
from differential.sizing.grid import READINGS, Point, Reading, keeps_alone, keeps_promise
from differential.sizing.points import points

PLACEMENTS = 200
SLACK = 0.05
_FIRST_LOOK = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """What the oracle found at the advised count: placements that kept the promise, of so many."""

    point: Point
    reading: Reading
    advice: Advice
    kept: int
    placements: int

    @property
    def lower(self) -> float:
        """The lower 95 % bound of the share of placements that keep the promise."""
        return lower_bound(self.kept, self.placements)

    @property
    def holds(self) -> bool:
        """Whether it is at least what was asked for, less five points."""
        return self.lower >= self.advice.wanted - SLACK


def lower_bound(good: int, tried: int, confidence: float = 0.95) -> float:
    """Return Clopper and Pearson's lower bound of a share."""

    def so_many(share: float) -> float:
        return fsum(comb(tried, n) * share**n * (1 - share) ** (tried - n) for n in range(good, tried + 1))

    low, high = 0.0, good / tried
    for _ in range(40):
        share = (low + high) / 2
        low, high = (share, high) if so_many(share) < 1 - confidence else (low, share)
    return low


def judge(point: Point, reading: Reading, found: Advice, placements: int = PLACEMENTS) -> Finding:
    """Play placements at the advised count; where all of the first sixty hold, that is enough."""
    shards = found.shards[reading]
    assert shards is not None
    kept = played = 0
    for placement in range(placements):
        kept += keeps_promise(point, shards, placement, reading)
        played += 1
        if played == _FIRST_LOOK == kept:
            break
    return Finding(point, reading, found, kept, played)


def main(arguments: Sequence[str]) -> int:
    """Play the grid, or the points whose numbers are given, and print a row for each as it is known."""
    chosen = {int(number) for number in arguments}
    wrong = 0
    print("| workload | reading | advised | kept | of | lower bound | CPU s |\n|---|---|--:|--:|--:|--:|--:|")
    for number, point in enumerate(points()):
        if chosen and number not in chosen:
            continue
        found = advice(point.options())
        for reading in READINGS:
            began = time.process_time()
            row, held = _row(point, found, reading)
            wrong += not held
            took = time.process_time() - began
            print(f"| {number}: {point} | {reading} | {row} | {took:.1f} |", flush=True)
    return 1 if wrong else 0


def _row(point: Point, found: Advice, reading: Reading) -> tuple[str, bool]:
    shards = found.shards[reading]
    if shards is None:
        held = not keeps_alone(point, reading)
        return f"none | {'right' if held else 'WRONG'} | | ", held
    finding = judge(point, reading, found)
    text = f"{shards} | {finding.kept} | {finding.placements} | {finding.lower:.1%}"
    return text + ("" if finding.holds else " WRONG"), finding.holds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
