"""Play the property grid: ``make sizing-grid``.

Exit status 1 if an answer of ``size`` does not hold. Rows are kept as they are known, so a run that was
broken off goes on with the next one.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import comb, fsum
from pathlib import Path
from typing import Final

from differential.sizing.advice import Advice, advice
from differential.sizing.grid import PROMISE, READINGS, Play, Point, Reading, keeps_alone, play_placement
from differential.sizing.points import points

PLACEMENTS: Final = 200
SLACK: Final = 0.05
_FIRST_LOOK: Final = 60

_ROOT: Final = Path(__file__).parents[3]
RESULTS: Final = _ROOT / "out/sizing-grid.jsonl"


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
    """Play placements at the advised count; where all of the first sixty hold, that is enough.

    Where placements are nearly the same, those that are too near the promise to tell are judged together.
    """
    shards = found.shards[reading]
    assert shards is not None
    plays: list[Play] = []
    for placement in range(placements):
        plays.append(play_placement(point, shards, placement, reading))
        if len(plays) == _FIRST_LOOK == _kept(point, plays):
            break
    return Finding(point, reading, found, _kept(point, plays), len(plays))


def _kept(point: Point, plays: Sequence[Play]) -> int:
    together = sum(play.throttled for play in plays) <= PROMISE * sum(play.looked for play in plays)
    return sum(together if point.even and not play.clear else play.keeps for play in plays)


class Rows:
    """The rows that are known, in a file that grows with each: a broken run goes on where it was.

    A row says what a number of shards does in the oracle's play, so it holds as long as the oracle is the
    same and ``size`` advises that number. Rows of another oracle are dropped, and those of another number are
    passed over.

    Args:
        file: Where they are kept.
        oracle: What tells this oracle from any other.
    """

    def __init__(self, file: Path, oracle: str) -> None:
        self._file = file
        self._known: dict[tuple[str, str, int | None], Row] = {}
        lines = file.read_text().splitlines() if file.exists() else []
        if not lines or lines[0] != oracle:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{oracle}\n")
        for line in lines[1:] if lines and lines[0] == oracle else ():
            row = Row(**json.loads(line))
            self._known[row.workload, row.reading, row.advised] = row

    def get(self, workload: str, reading: Reading, advised: int | None) -> "Row | None":
        """Return a row if it is known."""
        return self._known.get((workload, reading, advised))

    def add(self, row: "Row") -> None:
        """Keep a row."""
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(row)) + "\n")


@dataclass(frozen=True, slots=True)
class Row:
    """What was found of a workload under a reading; numbers of placements are 0 where no count is advised."""

    workload: str
    reading: str
    advised: int | None
    kept: int
    placements: int
    lower: float
    holds: bool
    cpu: float

    def __str__(self) -> str:
        """Return it as a row of a Markdown table."""
        played = f"{self.kept} | {self.placements} | {self.lower:.1%}" if self.placements else " | | "
        columns = (self.workload, self.reading, self.advised or "none", played, f"{self.cpu:.1f}")
        return f"| {' | '.join(map(str, columns))} |" + ("" if self.holds else " WRONG")


def main(arguments: Sequence[str]) -> int:
    """Play the grid, or the points whose numbers are given, and print a row for each as it is known."""
    chosen = {int(number) for number in arguments}
    rows, wrong = Rows(RESULTS, _oracle()), 0
    print("| workload | reading | advised | kept | of | lower bound | CPU s |\n|---|---|--:|--:|--:|--:|--:|")
    for number, point in enumerate(points()):
        if chosen and number not in chosen:
            continue
        found = advice(point.options())
        for reading in READINGS:
            row = rows.get(f"{number}: {point}", reading, found.shards[reading])
            if row is None:
                row = play_row(number, point, reading, found)
                rows.add(row)
            wrong += not row.holds
            print(row, flush=True)
    return 1 if wrong else 0


def play_row(number: int, point: Point, reading: Reading, found: Advice) -> Row:
    """Play what is advised for a workload."""
    name, began = f"{number}: {point}", time.process_time()
    shards = found.shards[reading]
    if shards is None:
        held = not keeps_alone(point, reading)
        return Row(name, reading, None, 0, 0, 0.0, held, time.process_time() - began)
    finding = judge(point, reading, found)
    took = time.process_time() - began
    return Row(
        name, reading, shards, finding.kept, finding.placements, finding.lower, finding.holds, round(took, 1)
    )


def _oracle() -> str:
    """Return a digest of the oracle: of this folder but for its tests, and of none of the sizing tool."""
    files = sorted(file for file in Path(__file__).parent.glob("*.py") if not file.name.startswith("test_"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
