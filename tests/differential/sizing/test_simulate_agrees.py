"""``simulate`` says of known keys on known shards what the oracle finds, record by record."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from differential.sizing.shard import HASH_KEYS, hash_key
from differential.sizing.stream import play_buckets, play_windows
from differential.sizing.traffic import Traffic, send
from fakes.sizing_cli import run
from orderstream.producer.salting import salted
from shard_sizing.model.workload.profile import KeyShare, Profile, synthetic

SECONDS = 2_000


def with_known_keys(traffic: Traffic, names: list[str]) -> Profile:
    """Return the profile of traffic whose keys are all known by name."""
    made_up = synthetic(
        traffic.rate, traffic.bytes, 0.0, traffic.burst_cv, traffic.keys, bytes_cv=traffic.bytes_cv
    )
    shares = traffic.shares().tolist()
    known = tuple(KeyShare(name, share, share) for name, share in zip(names, shares, strict=True))
    return msgspec.structs.replace(made_up, key_list=known)


def simulated(profile: Profile, folder: Path, *options: str) -> dict[str, Any]:
    """Ask the command."""
    file = folder / "profile.json"
    file.write_bytes(msgspec.json.encode(profile))
    done = run("simulate", str(file), *options, "--json")
    assert done.exit_code in (0, 2, 3), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("traffic", "shards"),
    [
        (Traffic(950, 1), 1),
        (Traffic(1_200, 30, zipf=1.0), 4),
        (Traffic(600, 30, burst_cv=0.5), 2),
        (Traffic(20, 300, bytes=200_000), 6),
        (Traffic(100, 50, bytes=15_000, bytes_cv=1.0), 3),
    ],
)
def test_throttled_seconds_agree(traffic: Traffic, shards: int, tmp_path: Path) -> None:
    """Under both readings; where the model is not exact it errs to the safe side, by a quarter at most."""
    names = [f"tenant-{number}" for number in range(traffic.keys)]
    found = simulated(with_known_keys(traffic, names), tmp_path, "--shards", str(shards))
    said = {each["enforcement"]: each["throttled_seconds"] for each in found["results"]}
    sent = send(traffic, SECONDS, np.random.default_rng(1))
    shard = np.array([hash_key(name) * shards // HASH_KEYS for name in names])[sent.key]
    for reading, played in (
        ("fixed-window", play_windows(shard, sent.at, sent.size)),
        ("token-bucket", play_buckets(shard, sent.at, sent.size)),
    ):
        true = played.throttled / SECONDS
        chance = 4 * np.sqrt(true * (1 - true) / SECONDS) + 0.002
        assert true - chance <= said[reading] <= 1.25 * true + chance, (reading, said, true)


def test_salted_sub_keys_fall_where_simulate_says(tmp_path: Path) -> None:
    """The SDK's own salted keys, drawn as a producer draws them, load the shards that simulate loads."""
    shards, ways = 8, 4
    profile = with_known_keys(Traffic(900, 1), ["hot-customer"])
    found = simulated(profile, tmp_path, "--shards", str(shards), "--salt", str(ways))
    drawn = [hash_key(salted("hot-customer", ways)) * shards // HASH_KEYS for _ in range(4_000)]
    true = np.bincount(drawn, minlength=shards) / len(drawn)
    assert [use["share"] for use in found["uses"]] == pytest.approx(true.tolist(), abs=0.03)
