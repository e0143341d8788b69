"""Bursts of the whole stream: what the two readings must agree on, and where the model says nothing."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fakes.sizing_cli import run
from shard_sizing.model.capacity.demand import Demand, Question
from shard_sizing.model.capacity.sizing import size
from shard_sizing.model.data_files import load_limits
from shard_sizing.model.law.bursts import MOST_CV
from shard_sizing.model.law.shard_law import ENFORCEMENTS
from shard_sizing.model.workload.keys import fall
from shard_sizing.model.workload.profile import synthetic

LIMITS = load_limits()
WINDOW = ENFORCEMENTS.index("fixed-window")
BUCKET = ENFORCEMENTS.index("token-bucket")


@pytest.mark.parametrize("burst_cv", [0.3, MOST_CV])
def test_a_bucket_never_throttles_more_seconds_than_a_window(burst_cv: float) -> None:
    """Within a second small records come evenly, so a bucket loses only in seconds that exceed the limit.

    It holds a second's worth and is refilled at the limit: in a second within the limit it gains as much as
    it gives, and refuses none. Each second in which it is empty is therefore one that a window refuses in.
    """
    asked = Question(synthetic(800, 300, 0.3, burst_cv, 1_000), LIMITS, Demand(at="mean"))
    for shards in (1, 12):
        loads = fall(asked.keys, shards, 5, np.random.default_rng(shards))
        for rate in (1.0, 50.0, 700.0, 950.0, 3_000.0, 20_000.0):
            throttled = asked.law.throttled(loads, rate)
            assert (throttled[:, BUCKET] <= throttled[:, WINDOW] * 1.02 + 1e-6).all(), (shards, rate)


def test_more_bursts_need_more_shards() -> None:
    """By either reading, up to the largest variation that is planned for, and a bucket needs no more."""
    counts = []
    for burst_cv in (0.0, MOST_CV):
        found = size(synthetic(200, 500, 0.0, burst_cv), LIMITS)
        by_reading = {need.enforcement: need.shards for need in found.needs if need.percent == 90}
        counts.append([by_reading[reading] or 0 for reading in ENFORCEMENTS])
    assert all(0 < count[BUCKET] <= count[WINDOW] for count in counts)
    assert counts == sorted(counts)
    assert counts[-1][BUCKET] > counts[0][BUCKET]


@pytest.mark.parametrize("command", [("size", "--rate", "200"), ("whatif", "--orders", "1")])
def test_bursts_beyond_what_a_minute_can_hold_are_refused(command: tuple[str, ...]) -> None:
    """A variation of 50 cannot be within a minute: such an option is a slip, and no answer means a thing."""
    done = run(*command, "--burst-cv", "50")
    assert done.exit_code not in (0, 2, 3)
    assert "range" in done.stderr


def test_a_profile_of_such_bursts_is_planned_for_by_its_seconds(tmp_path: Path) -> None:
    """The refusal names the way out, and the way out answers."""
    events = tmp_path / "events.csv"
    rows = [f"key-{n},{second}" for second in range(0, 3_600, 601) for n in range(500)]
    events.write_text("key,at\n" + "\n".join(rows) + "\nkey-0,3601\n", encoding="utf-8")
    file = tmp_path / "profile.json"
    assert run("sample", str(events), "--key", "key", "--timestamp", "at", "--out", str(file)).exit_code == 0
    profile = json.loads(file.read_text(encoding="utf-8"))
    file.write_bytes(msgspec.json.encode({**profile, "burst_cv": MOST_CV + 1}))
    refused = run("size", str(file))
    assert refused.exit_code == 1
    assert "--at max-second" in refused.stderr
    assert run("size", str(file), "--at", "max-second").exit_code == 0
