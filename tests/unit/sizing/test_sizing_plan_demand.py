"""``plan`` asks of its target what ``size`` and ``simulate`` ask: the same load, readers and salt."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fakes.sizing_cli import run
from shard_sizing.cli.main import shard_sizing
from shard_sizing.model.workload.profile import HashLoad, KeyShare, synthetic

RATE = ("--rate", "2000", "--bytes", "400", "--keys", "5000")


def options(command: str) -> set[str]:
    return {opt for option in shard_sizing.commands[command].params for opt in option.opts}


def planned(*arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("plan", *arguments, "--json").stdout)
    return answer


def test_whatever_can_be_sized_can_be_planned() -> None:
    """No load that ``size`` knows has to be described to ``plan`` as another one."""
    assert options("size") <= options("plan")
    assert options("simulate") <= options("plan")


@pytest.mark.parametrize(
    ("load", "shards"),
    [
        (RATE, 3),
        ((*RATE, "--consumers", "5"), 3),
        (("--rate", "5000", "--zipf", "0.8", "--consumers", "5", "--poll-seconds", "2"), 8),
        (("--rate", "3000", "--bytes", "106", "--aggregate", "--producers", "40"), 2),
        (("--rate", "4000", "--zipf", "1.1", "--salt", "8", "--salt-heaviest", "3"), 12),
        (("--rate", "1500", "--bytes", "2000", "--compress", "0.3"), 2),
        (("--rate", "4", "--bytes", "200000"), 9),
    ],
)
def test_a_plan_and_a_simulation_of_its_target_agree(load: tuple[str, ...], shards: int) -> None:
    """The same demand, target, seed and placements: the same verdict, whichever command is asked."""
    simulated = json.loads(run("simulate", *load, "--shards", str(shards), "--json").stdout)
    found = planned(*load, "--shards", "1", "--target", str(shards))
    assert found["adequacy"]["fits_in"] == simulated["fits_in"]
    assert found["adequacy"]["placements"] == simulated["placements"]
    assert found["suffices"] == (simulated["fits_in"] >= 0.9)


def test_readers_that_fall_behind_are_a_target_that_does_not_suffice() -> None:
    """Five readers of 2 MB/s on four shards ask for 2.5 MB/s of each, and a shard gives 2 MiB/s to all."""
    load = ("--rate", "2000", "--bytes", "1000", "--keys", "5000", "--shards", "2", "--target", "4")
    alone, five = run("plan", *load), run("plan", *load, "--consumers", "5")
    assert (alone.exit_code, five.exit_code) == (0, 2)
    assert "4 shards will not be enough" in five.stdout
    assert "Readers of the busiest shard use" in five.stdout
    fan_out = run("plan", *load, "--consumers", "5", "--efo")
    assert fan_out.exit_code == 0


@pytest.mark.parametrize(
    "command", [("simulate", "--shards", "9"), ("plan", "--shards", "2", "--target", "9")]
)
@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--consumers", "40", "--efo"), "20 registered consumers"),
        (("--consumers", "9"), "make 9.0 GetRecords a second of a shard, which answers 5"),
        (("--bytes", "2000000"), "maximum record size of 1,024 KiB"),
        (("--zipf", "2"), "the heaviest key alone overloads a shard"),
    ],
)
def test_what_no_shards_help_is_no_question_of_the_target(
    command: tuple[str, ...], more: tuple[str, ...], told: str
) -> None:
    """Given shards are not called enough where ``size`` says that none are: exit 3, and what to do."""
    done = run(*command, "--rate", "3000", "--keys", "1000", *more)
    assert done.exit_code == 3, done.stdout
    assert "no number of shards is enough" in done.stdout.splitlines()[0]
    assert told in done.stdout.splitlines()[0]


def test_fan_out_is_no_way_out_for_one_reader() -> None:
    """It gives one reader what it has already; and a key that writes too much is told so, not read so."""
    slow = (
        "simulate",
        "--shards",
        "4",
        "--keys",
        "1",
        "--rate",
        "400",
        "--bytes",
        "2000",
        "--catch-up",
        "0.5",
    )
    one, two = run(*slow), run(*slow, "--consumers", "2")
    assert "what a shard gives its reader, and" in one.stdout
    assert ("--efo" in one.stdout, "--efo" in two.stdout) == (False, True)
    assert "the heaviest key alone overloads a shard" in run(*slow, "--rate", "4000").stdout


def test_a_salted_key_is_cut_between_its_sub_keys(tmp_path: Path) -> None:
    """Cuts by the load know where the SDK's sub-keys lie, so a key that is salted need not stay whole."""
    keys = (KeyShare("tenant", 0.5, 0.5), *(KeyShare(f"other-{i}", 0.05, 0.05) for i in range(10)))
    profile = tmp_path / "profile.json"
    listed = msgspec.structs.replace(synthetic(1_500, 500, 0.0, 0.0, keys=11), key_list=keys)
    profile.write_bytes(msgspec.json.encode(listed))
    asked = (str(profile), "--shards", "1", "--target", "4")
    whole, salted = planned(*asked), planned(*asked, "--salt", "16")
    assert whole["targeted"]["busiest"] == pytest.approx(0.5)
    assert salted["targeted"]["busiest"] < 0.35


def test_cuts_are_by_the_bytes_where_the_readers_bind(tmp_path: Path) -> None:
    """Records would fill a shard first, yet four readers of its bytes are behind long before that."""
    records, volume = (0.4, 0.3, 0.2, 0.1), (0.1, 0.1, 0.1, 0.7)
    profile = tmp_path / "profile.json"
    measured = msgspec.structs.replace(synthetic(1_000, 800, 0.0, 0.0), hash_load=HashLoad(records, volume))
    profile.write_bytes(msgspec.json.encode(measured))
    found = planned(str(profile), "--shards", "1", "--target", "3", "--consumers", "4")
    assert found["better"] == "targeted"
    assert found["targeted"]["read_limit_used"] < found["uniform"]["read_limit_used"]
