"""``sample`` of events that follow a law gives the law back, and says nothing that it cannot know."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from differential.sizing.traffic import Records, Traffic, send
from fakes.sizing_cli import run

HOUR, DAY = 3_600, 86_400


def sampled(sent: Records, folder: Path) -> dict[str, Any]:
    """Write events as a file and sample it."""
    events, out = folder / "events.csv", folder / "profile.json"
    order = np.argsort(sent.at)
    rows = zip(sent.key[order].tolist(), sent.at[order].tolist(), sent.size[order].tolist(), strict=True)
    events.write_text(
        "key,at,size\n" + "".join(f"sku-{key},{at + 1e6:.3f},{size}\n" for key, at, size in rows)
    )
    done = run(
        *("sample", str(events), "--key", "key", "--timestamp", "at", "--size", "size", "--out", str(out))
    )
    assert done.exit_code == 0, done.stderr
    profile: dict[str, Any] = json.loads(out.read_bytes())
    return profile


@pytest.mark.parametrize(
    ("zipf", "keys"),
    [(0.0, 1_000), (0.0, 100_000), (0.5, 100_000), (0.8, 1_000), (1.1, 100_000), (1.4, 1_000)],
)
def test_the_skew_comes_back(zipf: float, keys: int, tmp_path: Path) -> None:
    """The exponent lies in its interval, and each heavy key has the share that it had."""
    sent = send(Traffic(500, keys, zipf), 120, np.random.default_rng(1))
    profile = sampled(sent, tmp_path)
    fitted = profile["zipf"]
    assert fitted["low"] <= zipf <= fitted["high"], fitted
    assert fitted["high"] - fitted["low"] < 0.25
    counts = np.bincount(sent.key, minlength=keys)
    for hot in profile["hot_keys"]:
        true = counts[int(hot["key"].removeprefix("sku-"))] / sent.key.size
        assert hot["record_share"] * 0.999 - 1e-6 <= true <= hot["record_share"] + hot["error"] + 1e-6
    heaviest = sorted(counts.tolist(), reverse=True)[: len(profile["hot_keys"])]
    shares = [hot["record_share"] * sent.key.size for hot in profile["hot_keys"]]
    assert shares == pytest.approx(heaviest, rel=0.1)


def test_sizes_come_back(tmp_path: Path) -> None:
    """Mean, spread, and the units that AWS bills, summed over true sizes."""
    sent = send(Traffic(500, 1_000, bytes=3_000, bytes_cv=2.0), 60, np.random.default_rng(2))
    profile = sampled(sent, tmp_path)
    sizes, shares = (np.array(column) for column in zip(*profile["sizes"], strict=True))
    mean = float(sizes @ shares)
    assert mean == pytest.approx(profile["record_bytes"])
    assert mean == pytest.approx(sent.size.mean(), rel=0.001)
    assert np.sqrt(shares @ (sizes - mean) ** 2) == pytest.approx(sent.size.std(), rel=0.03)
    assert profile["kib_units"] == pytest.approx(np.ceil(sent.size / 1_024).mean())
    assert profile["put_units"] == pytest.approx(np.maximum(1, np.ceil(sent.size / 25_000)).mean(), rel=0.03)
    assert np.count_nonzero(sizes < 65_536) <= 64


@pytest.mark.parametrize("burst_cv", [0.0, 0.25, 1.0])
def test_bursts_come_back(burst_cv: float, tmp_path: Path) -> None:
    """The variation from second to second, beyond chance, within 0.05."""
    sent = send(Traffic(40, 1_000, burst_cv=burst_cv), HOUR // 2, np.random.default_rng(3))
    assert sampled(sent, tmp_path)["burst_cv"] == pytest.approx(burst_cv, abs=0.05)


def test_a_day_is_no_burst(tmp_path: Path) -> None:
    """A rate that follows the sun is a daily shape and a peak, and leaves no variation within minutes."""
    rng = np.random.default_rng(4)
    mean = 0.7
    at = np.sort(rng.uniform(0, 2 * DAY, rng.poisson(2 * mean * 2 * DAY)))
    at = at[rng.random(at.size) < (1 + 0.9 * np.sin(2 * np.pi * at / DAY)) / 2]
    key = rng.integers(0, 1_000, at.size)
    # The file's clock begins at second 1,000,000, which is 13:46:40.
    profile = sampled(Records(key, at, np.full(at.size, 100)), tmp_path)
    assert profile["rate"] == pytest.approx(mean, rel=0.02)
    assert profile["burst_cv"] < 0.3
    assert profile["peaks"]["hour"]["max"] == pytest.approx(1.9 * mean, rel=0.1)
    hours = (np.arange(24) + 0.5) * HOUR
    expected = 1 + 0.9 * np.sin(2 * np.pi * (hours - 1e6) / DAY)
    assert profile["daily"] == pytest.approx(expected.tolist(), abs=0.2)


def test_a_clock_of_minutes_knows_no_seconds(tmp_path: Path) -> None:
    """Times in whole minutes: the resolution is said, and nothing is claimed of seconds."""
    sent = send(Traffic(2, 100), 3 * HOUR, np.random.default_rng(5))
    at = np.floor(sent.at / 60) * 60 - 1e6 % 60
    profile = sampled(Records(sent.key, at, sent.size), tmp_path)
    assert profile["resolution"] == 60
    assert profile["peaks"]["second"] is None
    assert profile["burst_cv"] == 0
    assert profile["peaks"]["minute"]["mean"] == pytest.approx(2, rel=0.03)
