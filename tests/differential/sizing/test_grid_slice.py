"""A slice of the property grid: what ``size`` advises holds on fresh names, and is not wasteful."""

from pathlib import Path

import numpy as np
import pytest

from differential.sizing.advice import advice
from differential.sizing.grid import Point, Reading, keeps_alone, keeps_promise
from differential.sizing.packing import Producers
from differential.sizing.run_grid import judge
from differential.sizing.traffic import Traffic
from fakes.sizing_cli import run

SLICE: list[tuple[Point, Reading]] = [
    (Point(Traffic(1_250, 20, burst_cv=0.25)), "fixed-window"),
    (Point(Traffic(500, zipf=1.1, burst_cv=0.25)), "fixed-window"),
]


@pytest.mark.parametrize(("point", "reading"), SLICE, ids=str)
def test_what_is_advised_keeps_its_promise(point: Point, reading: Reading) -> None:
    """In nine of ten placements, less five points, by the lower 95 % bound; a quarter less does not."""
    found = advice(point.options())
    finding = judge(point, reading, found)
    assert finding.holds, finding
    shards = found.shards[reading]
    assert shards is not None
    kept = sum(keeps_promise(point, shards * 3 // 4, placement, reading) for placement in range(60))
    assert kept < 0.9 * 60, (shards, kept)


@pytest.mark.parametrize(
    "point",
    [Point(Traffic(5_000, 3)), Point(Traffic(3_900, 3), Producers(200, 0.0, 0.015))],
    ids=str,
)
def test_where_no_number_is_enough_none_is(point: Point) -> None:
    """The heaviest key breaks the promise with a shard of its own."""
    found = advice(point.options())
    assert found.shards["fixed-window"] is None
    assert found.reason
    assert not keeps_alone(point, "fixed-window")


def test_a_day_is_planned_for_its_busiest_minute(tmp_path: Path) -> None:
    """A rate swings from 0.1 to 1.9 of its mean: the number advised holds at its top, the mean's does not."""
    rng, seconds, mean, size = np.random.default_rng(8), 1_200, 30, 20_000
    at = np.sort(rng.uniform(0, seconds, rng.poisson(2 * mean * seconds)))
    at = at[rng.random(at.size) < (1 - 0.9 * np.cos(2 * np.pi * at / seconds)) / 2]
    events, profile = tmp_path / "events.csv", str(tmp_path / "day.json")
    rows = (f"order-{number},{1e9 + second:.3f},{size}\n" for number, second in enumerate(at.tolist()))
    events.write_text("key,at,size\n" + "".join(rows))
    columns = ("--key", "key", "--timestamp", "at", "--size", "size")
    assert run("sample", str(events), *columns, "--out", profile).exit_code == 0
    found, top = advice([profile]), Point(Traffic(1.9 * mean, bytes=size))
    assert judge(top, "fixed-window", found).holds, found
    assert not any(keeps_promise(top, 1, placement, "fixed-window") for placement in range(5))
