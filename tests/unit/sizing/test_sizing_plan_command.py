"""``plan``: the plan that a person would run, and what it refuses."""

import json
from pathlib import Path

import msgspec
import pytest

from fakes.sizing_cli import run
from shard_sizing.model.capacity.adequacy import Adequacy, Candidate, choose, cuttable
from shard_sizing.model.capacity.demand import Demand, Question
from shard_sizing.model.capacity.simulate import simulate
from shard_sizing.model.data_files import load_limits
from shard_sizing.model.resharding.planner import Plan
from shard_sizing.model.workload.profile import HashLoad, KeyShare, synthetic


def candidate(kind: str, busiest: float, *, suffices: bool, peak: int = 8) -> Candidate:
    found = Adequacy(suffices, float(suffices), 1, busiest, (0.9,), 0.0 if suffices else 0.5, 0.1)
    return Candidate(Plan("uniform" if kind == "uniform" else "targeted", (0,), (), peak), found)


@pytest.mark.parametrize(
    ("uniform", "targeted", "taken"),
    [
        ((0.501, True, 8), (0.500, True, 8), "uniform"),  # both suffice: one UpdateShardCount, no surgery
        ((0.501, True, 8), (0.300, True, 8), "uniform"),
        ((0.501, False, 8), (0.300, True, 8), "targeted"),
        ((0.501, False, 8), (0.500, False, 8), "uniform"),  # a tenth of a per cent is no reason to cut
        ((0.501, False, 8), (0.400, False, 8), "targeted"),
        ((0.501, False, 8), (0.300, True, 11), "uniform"),  # does not fit the quota of 10
        ((0.501, True, 11), (0.500, True, 8), "targeted"),
    ],
)
def test_a_targeted_plan_needs_a_reason(
    uniform: tuple[float, bool, int], targeted: tuple[float, bool, int], taken: str
) -> None:
    """Equal ranges win where they suffice or are about as good; nobody is sent to cut for nothing."""
    candidates = (
        candidate(kind, busiest, suffices=suffices, peak=peak)
        for kind, (busiest, suffices, peak) in (("uniform", uniform), ("targeted", targeted))
    )
    better, why = choose(*candidates, quota=10)
    assert better.plan.kind == taken
    assert why


def test_invented_names_are_not_cut_between() -> None:
    """Where the keys lie is known from a measurement or a full list of keys, never from a law."""
    made_up = synthetic(2_000, 500, 1.1, 0.0)
    measured = msgspec.structs.replace(made_up, hash_load=HashLoad((0.5, 0.5), (0.5, 0.5)))
    keys = (KeyShare("a", 0.75, 0.75), KeyShare("b", 0.25, 0.25))
    listed = msgspec.structs.replace(made_up, keys=2, key_list=keys)
    once = tuple(msgspec.structs.replace(key, recurs=False) for key in keys)
    orders = msgspec.structs.replace(listed, key_list=once)
    asked = [Question(each, load_limits(), Demand(at="mean")) for each in (made_up, measured, listed, orders)]
    assert [cuttable(each) for each in asked] == [False, True, True, False]
    answer = json.loads(
        run("plan", "--rate", "2000", "--zipf", "1.1", "--shards", "4", "--target", "8", "--json").stdout
    )
    assert (answer["better"], answer["targeted"]) == ("uniform", None)
    assert answer["steps"] == [{"call": "UpdateShardCount", "shards": "8"}]


def test_apply_needs_to_know_where_the_keys_lie() -> None:
    """A live stream is not resharded by a made-up workload; no call is made to find that out."""
    done = run("plan", "--rate", "2000", "--zipf", "1.1", "--stream", "orders", "--target", "6", "--apply")
    assert done.exit_code == 1
    assert "give a profile that measure wrote" in done.stderr


def test_the_answer_begins_with_whether_the_target_suffices(tmp_path: Path) -> None:
    """Before any call is listed, a person reads whether this will do; exit 2 says it to programs."""
    enough = run("plan", "--rate", "2000", "--shards", "2", "--target", "4")
    assert (
        "4 shards suffice in 100 % of 200 placements of the keys, whose positions are not known"
        in enough.stdout
    )
    assert enough.exit_code == 0
    short = run("plan", "--rate", "9000", "--shards", "2", "--target", "4")
    assert "4 shards will not be enough: they suffice in 0 % of 200 placements" in short.stdout
    assert short.exit_code == 2
    parts = (0.7, 0.1, 0.1, 0.1)
    profile = tmp_path / "measured.json"
    measured = msgspec.structs.replace(synthetic(3_000, 500, 0.0, 0.0), hash_load=HashLoad(parts, parts))
    profile.write_bytes(msgspec.json.encode(measured))
    known = run("plan", str(profile), "--shards", "2", "--target", "3")
    assert "3 shards will not be enough: the busiest is at" in known.stdout
    assert "targeted plan" in known.stdout
    fits = run("plan", str(profile), "--shards", "2", "--target", "5")
    assert (fits.exit_code, "5 shards suffice: the busiest is at" in fits.stdout) == (0, True)
    assert "equal ranges would throttle, targeted cuts do not" in fits.stdout


def test_a_doubling_up_to_the_quota_is_not_refused() -> None:
    """500 to 1,000 shards in a Region of 1,000: UpdateShardCount does it, so the plan says so."""
    done = run(
        "plan", "--rate", "300000", "--shards", "500", "--target", "1000", "--region", "ap-south-1", "--json"
    )
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["peak_shards"], answer["quota"]) == (1_000, 1_000)


def test_more_than_10_000_shards_are_not_for_update_shard_count() -> None:
    """AWS' rule is said, and the splits are planned, in seconds."""
    done = run("plan", "--rate", "1000", "--keys", "1000", "--shards", "8000", "--target", "16000")
    assert "UpdateShardCount alone does not get there: by default it goes up to 10,000 shards" in done.stdout
    assert "8,000 steps" in done.stdout
    assert "  SplitShard of" in done.stdout


def test_a_plan_is_for_the_rate_that_is_asked_for() -> None:
    """``--at`` takes another rate than the busy minutes'; the first words say which one it is."""
    options = ("--rate", "500", "--keys", "2000", "--shards", "2", "--target", "2")
    peak, mean = run("plan", *options, "--peak", "3000"), run("plan", *options, "--at", "mean")
    assert (peak.exit_code, mean.exit_code) == (2, 0)
    assert peak.stdout.startswith(
        "For the 99.9 % minute, 3,000 records/s (6 times the mean), 2 shards will not"
    )
    assert mean.stdout.startswith("For the mean of 500 records/s, 2 shards suffice")
    wrong = run("plan", *options, "--at", "noon")
    assert (wrong.exit_code, "no such rate" in wrong.stderr) == (1, True)


def test_the_picture_shows_the_load_of_the_second_that_decides() -> None:
    """Not shares, whose mean says nothing of a busy second: each shard's use of its limit at p99."""
    options = (
        "--rate",
        "900",
        "--zipf",
        "1",
        "--burst-cv",
        "0.4",
        "--shards",
        "2",
        "--target",
        "3",
        "--json",
    )
    found = json.loads(run("plan", *options).stdout)["adequacy"]
    assert len(found["used_p99"]) == 3
    assert max(found["used_p99"]) > found["busiest"] * 900 / 1_000


def test_a_plan_that_only_shrinks_fits_every_quota() -> None:
    """What is open is within the account's quota, whatever the Region's usual one is."""
    down = ("--rate", "3000", "--keys", "5000", "--shards", "2000", "--target", "1000")
    done = run("plan", *down, "--region", "ap-south-1", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["quota"], answer["quota_source"]) == (0, 2_000, "open")
    up = run("plan", *down[:-3], "2000", "--target", "2001", "--region", "ap-south-1")
    assert (up.exit_code, "It does not fit" in up.stdout) == (2, True)


def test_nobody_is_sent_to_do_what_does_not_suffice() -> None:
    """The words of a plan follow its verdict: it is taken, or done nonetheless, or not listed at all."""
    told = [
        run("plan", "--keys", "1000", "--shards", "2", "--target", "4", *load).stdout
        for load in (("--rate", "2000"), ("--rate", "9000"), ("--rate", "9000", "--keys", "1"))
    ]
    assert "Take the uniform plan, 1 step: " in told[0]
    assert "If it is to be done nonetheless, the uniform plan, 1 step: " in told[1]
    assert "UpdateShardCount" not in told[2]


def test_one_call_takes_no_day() -> None:
    """Ten calls a day are a limit; only plans of more are spread over days."""
    short, long = (
        run("plan", "--rate", "9", "--keys", "9", "--shards", str(shards), "--target", "1").stdout
        for shards in (2, 2_000)
    )
    assert ("; AWS does not say" in short, "days" in short) == (True, False)
    assert "10 such calls are allowed a day, so 2 days" in long


@pytest.mark.parametrize(("rate", "size", "p99"), [(900, 100, 970), (500, 100, 552), (1_900, 500, 2_001)])
def test_the_second_that_is_shown_is_as_busy_as_chance_makes_it(rate: int, size: int, p99: int) -> None:
    """Of a steady load the 99th percentile is 2.33 standard deviations of a Poisson number over the mean.

    A shard that suffices is not shown over its limit in it.
    """
    asked = Question(synthetic(rate, size, 0.0, 0.0, keys=1), load_limits(), Demand(at="mean"))
    shown = simulate(asked, (0,), 90, 1).uses[0].p99
    assert shown == pytest.approx(p99 * max(1 / 1_000, size / 1e6), rel=0.015)


def test_nobody_moves_ten_thousand_boundaries_for_one_shard() -> None:
    """Above 10,000 shards no call makes equal ranges: one split does what 20,001 steps would."""
    done = run("plan", "--rate", "9000", "--keys", "9000", "--shards", "10001", "--target", "10002", "--json")
    answer = json.loads(done.stdout)
    assert (answer["better"], len(answer["steps"]), answer["suffices"]) == ("halving", 1, True)


def test_stages_are_said_with_their_time_and_calls() -> None:
    """6,000 to 13,000: one call, then a split for each shard, in days; not 6,501 lines are printed."""
    asked = ("plan", "--rate", "1000", "--keys", "1000", "--shards", "6000", "--target", "13000")
    done = run(*asked)
    assert "6,501 steps in 3.0 to 5.3 days" in done.stdout
    assert "In stages: UpdateShardCount to 6,500 shards; then 6,500 splits." in done.stdout
    assert len(done.stdout.splitlines()) < 40
    steps = json.loads(run(*asked, "--json").stdout)["steps"]
    assert (len(steps), steps[0]["call"], steps[-1]["call"]) == (6_501, "UpdateShardCount", "SplitShard")


def test_a_number_that_is_reached_sooner_is_named() -> None:
    """10,000 equal shards to 20,000 are as many splits; to 13,001 in equal ranges more than twice as many."""
    heavy = ("--rate", "12500000", "--bytes", "10", "--keys", "1000000000", "--shards", "9000")
    done = run("plan", *heavy, "--target", "13001")
    assert "Splitting each shard in the middle makes 18,000 equal shards in 9,000 steps" in done.stdout
