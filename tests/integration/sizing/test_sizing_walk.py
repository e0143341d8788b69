"""``measure``, ``size`` and ``simulate --stream`` on one skewed live stream, as a planner runs them."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.kinesis_server import KinesisServer, kinesis_server
from fakes.sizing_cli import run
from orderstream.aggregation import hash_key_of

SHARDS, HOT, OTHERS = 2, 240, 360
"""The heaviest key has two fifths of the records: fewer than a shard takes in a second; none is refused."""


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[KinesisServer]:
    """A served Kinesis to which boto3 points."""
    with kinesis_server("--stream", "orders", "--shards", str(SHARDS)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", server.url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        yield server


def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Return a command's exit status and its JSON."""
    done = run(*arguments, "--json")
    assert done.exit_code in (0, 2, 3), done.stderr
    return done.exit_code, json.loads(done.stdout)


def test_the_three_agree_on_a_skewed_stream(live: KinesisServer, tmp_path: Path) -> None:
    """What was measured on each shard is what is simulated on it; what fits is what is advised.

    At three rates: one that the stream's shards take, one that overloads the heavier of them, and one at
    which the heaviest key alone is too much for any.
    """
    # Two in five, however many of them come in the same second: the tenant comes in no clumps.
    keys = ["tenant" if number % 5 < 2 else f"order-{number}" for number in range(HOT + OTHERS)]
    began = dt.datetime.now(dt.UTC)
    for first in range(0, len(keys), 200):
        records = [{"PartitionKey": key, "Data": b"x" * 100} for key in keys[first : first + 200]]
        assert live.client().put_records(StreamName="orders", Records=records)["FailedRecordCount"] == 0
    ended = max(dt.datetime.now(dt.UTC), began + dt.timedelta(seconds=2))
    file = str(tmp_path / "live.json")
    window = ("--from", (began - dt.timedelta(seconds=1)).isoformat(), "--to", ended.isoformat())
    _, measured = answer("measure", "orders", *window, "--out", file)
    assert measured["records"] == len(keys)

    counted = [0] * SHARDS
    for key in keys:
        counted[hash_key_of(key) * SHARDS >> 128] += 1
    for wanted, fits in ((600, True), (1_800, False), (4_000, False)):
        load = (file, "--growth", str(wanted / measured["rate"]), "--burst-cv", "0")
        status, simulated = answer("simulate", *load, "--stream", "orders")
        assert [use["share"] * len(keys) for use in simulated["uses"]] == pytest.approx(counted, abs=1)
        assert simulated["rate"] == pytest.approx(wanted)
        assert simulated["exact"]
        advised = run("size", *load, "--json")
        sized = json.loads(advised.stdout)
        assert sized["rate"] == pytest.approx(simulated["rate"])
        assert (status == 0) is fits
        assert (sized["shards"] is not None and sized["shards"] <= SHARDS) is fits
        assert (status == 3) is (advised.exit_code == 3)
        assert (advised.exit_code == 3) is (wanted * HOT > 1_000 * len(keys))
    shares = [shard["records"]["mean"] for shard in measured["shards"]]
    assert [share / sum(shares) * len(keys) for share in shares] == pytest.approx(counted)
