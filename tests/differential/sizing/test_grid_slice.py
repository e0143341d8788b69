"""A slice of the property grid: what ``size`` advises holds on fresh names, and is not wasteful."""

import pytest

from differential.sizing.advice import advice
from differential.sizing.grid import Point, Reading, keeps_alone, keeps_promise
from differential.sizing.packing import Producers
from differential.sizing.run_grid import judge
from differential.sizing.traffic import Traffic

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
