"""``size`` on real orders, whose lines share a key and a minute: held against them, record by record."""

from pathlib import Path

import numpy as np
import pytest

from differential.sizing.advice import Advice, advice
from differential.sizing.real_orders import Orders, Reading, minutes_below, orders, play_minute
from differential.sizing.run_grid import SLACK, lower_bound
from fakes.sizing_cli import run

MINUTES, NAMES = 8, 8


def asked(found: Orders, folder: Path, *options: str) -> Advice:
    """Sample the lines and ask ``size`` about them, as a planner does."""
    file, profile = found.write(folder / "orders.csv"), str(folder / "orders.json")
    columns = ("--key", "key", "--timestamp", "at", "--size", "size")
    assert run("sample", str(file), *columns, "--out", profile).exit_code == 0
    return advice([profile, *options])


def kept(found: Orders, growth: int, shards: int | None, reading: Reading, beyond: float) -> int:
    """Count the plays of busy minutes, names new in each, in which no second throttles."""
    rng = np.random.default_rng(1)
    minutes = minutes_below(found, beyond, MINUTES).tolist()
    plays = [play_minute(found, each, growth, shards, reading, rng) for each in minutes for _ in range(NAMES)]
    return sum(not played.throttled for played in plays)


@pytest.mark.parametrize(
    ("pace", "at", "beyond", "growth"),
    [(1, "p99.9-minute", 0.001, 390), (60, "p99-minute", 0.01, 1)],
    ids=["lines over a minute", "lines in a second"],
)
def test_busy_minutes_of_real_orders_fit_where_size_says_so(
    pace: int, at: str, beyond: float, growth: int, tmp_path: Path
) -> None:
    """Each busy minute within the planned rate passes without a refusal, in nine of ten sets of names."""
    found = orders(pace=pace)
    told = asked(found, tmp_path, "--at", at, "--growth", str(growth))
    for reading, shards in told.shards.items():
        assert shards is not None, told.reason
        good = kept(found, growth, shards, reading, beyond)
        assert lower_bound(good, MINUTES * NAMES) >= told.wanted - SLACK, (reading, shards, good)


@pytest.mark.parametrize(
    ("pace", "at", "beyond", "growth"),
    [(1, "p99.9-minute", 0.001, 1_000), (60, "p99-minute", 0.01, 4)],
    ids=["lines over a minute", "lines in a second"],
)
def test_where_one_order_makes_the_peak_no_number_of_shards_is_enough(
    pace: int, at: str, beyond: float, growth: int, tmp_path: Path
) -> None:
    """A shard for each order is the best there can be, and still refuses records; the answer says why."""
    found = orders(pace=pace)
    told = asked(found, tmp_path, "--at", at, "--growth", str(growth))
    assert set(told.shards.values()) == {None}
    assert "a key never gets more than one shard's" in told.reason
    for reading in told.shards:
        assert kept(found, growth, None, reading, beyond) <= MINUTES * NAMES / 2


def test_orders_that_come_at_once_need_more_shards(tmp_path: Path) -> None:
    """Two hundred orders a second of a score of lines each: shards full on average are not enough."""
    rng = np.random.default_rng(5)
    seconds = 120
    at = np.repeat(np.arange(seconds), rng.poisson(200, seconds))
    lines = rng.geometric(1 / 20, at.size)
    whole = Orders(np.repeat(np.arange(at.size), lines), np.repeat(at, lines), np.full(lines.sum(), 200), 1)
    told = asked(whole, tmp_path, "--at", "p99.9-minute")
    shards = told.shards["fixed-window"]
    assert shards is not None
    throttled = {
        count: np.mean(
            [
                play_minute(whole, minute, 1, count, "fixed-window", rng).throttled / 60
                for minute in (0, 1)
                for _ in range(6)
            ]
        )
        for count in (shards, round(shards / 2))
    }
    assert throttled[shards] <= 0.005
    assert throttled[round(shards / 2)] > 0.02
