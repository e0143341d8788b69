"""From events to a profile: heavy keys by records and by bytes, honest burstiness and Zipf intervals."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fakes.sizing_cli import run
from shard_sizing.errors import InputError
from shard_sizing.model.sampling.sampler import BATCH, sample
from shard_sizing.model.sampling.synthetic import Synthetic, events
from shard_sizing.model.workload.profile import Profile
from shard_sizing.model.workload.zipf import fit_zipf, zipf_shares

ORDERS = Path(__file__).parents[3] / "data" / "online-retail-2010-12.csv.gz"


@pytest.mark.parametrize("zipf", [0.9, 1.1])
def test_the_heaviest_keys_are_found_by_records_and_by_bytes(zipf: float) -> None:
    """Of the true top 20, by records and by bytes, 256 counters miss at most one, and over-count little."""
    spec = Synthetic(rate=5_000, seconds=30, keys=20_000, zipf=zipf, bytes_cv=1.0)
    drawn = list(events(spec, seed=3))
    profile = sample(drawn)
    records = Counter(key for key, _, _ in drawn)
    volumes: Counter[str] = Counter()
    for key, _, size in drawn:
        volumes[key] += size
    for found, true in ((profile.hot_keys, records), (profile.hot_by_bytes, volumes)):
        heaviest = {key for key, _ in true.most_common(20)}
        assert len(heaviest & {hot.key for hot in found}) >= 19
    for hot in profile.hot_keys:
        share = records[hot.key] / len(drawn)
        assert share <= hot.record_share + 1e-12 <= share + hot.error + 2e-12


def test_a_key_of_few_large_records_is_hot_by_bytes_only() -> None:
    """Records and bytes rank apart: one key may be heavy in one and light in the other."""
    drawn = [(f"small-{i % 40}", i / 100, 100) for i in range(4_000)] + [("large", 7.0, 200_000)]
    profile = sample(drawn)
    assert profile.hot_by_bytes[0].key == "large"
    assert profile.hot_keys[-1].key == "large"


def test_burstiness_is_measured_where_seconds_are_told() -> None:
    """A made-up coefficient of variation comes out again, and a Poisson process has about none."""
    bursty = sample(events(Synthetic(rate=400, seconds=400, keys=50, burst_cv=0.5), seed=1))
    assert bursty.burst_cv == pytest.approx(0.5, abs=0.1)
    calm = sample(events(Synthetic(rate=400, seconds=400, keys=50), seed=1))
    assert calm.burst_cv < 0.03


def test_burstiness_is_not_made_up_where_only_minutes_are_told(tmp_path: Path) -> None:
    """The bundled orders tell minutes, so the profile names the step and no burstiness."""
    out = tmp_path / "profile.json"
    done = run("sample", str(ORDERS), "--key", "StockCode", "--timestamp", "InvoiceDate", "--out", str(out))
    assert "burstiness not known" in done.stdout
    profile = json.loads(out.read_bytes())
    assert profile["resolution"] == 60
    assert profile["burst_cv"] == 0
    assert profile["peaks"]["second"] is None
    assert profile["peaks"]["minute"]["p99"] > profile["peaks"]["minute"]["p50"]
    assert "not known" in run("size", str(out)).stderr
    assert run("size", str(out), "--burst-cv", "0.25").stderr == ""


def test_the_zipf_interval_covers_the_truth() -> None:
    """Of 20 draws, each of 20,000 records, at least 17 intervals hold the exponent they were drawn with."""
    held = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        drawn = np.bincount(rng.choice(2_000, 20_000, p=zipf_shares(2_000, 1.0)), minlength=2_000)
        fit = fit_zipf(drawn[drawn > 0].astype(float), np.count_nonzero(drawn), 20_000.0)
        held += fit.low - 0.01 <= 1.0 <= fit.high + 0.01
    assert held >= 17


@pytest.mark.parametrize("capacity", [20_000, 1_000])
@pytest.mark.parametrize("zipf", [0.0, 0.3, 0.7, 1.1])
def test_a_known_law_is_given_back(zipf: float, capacity: int) -> None:
    """Whether every key is counted or most of 20,000 are dropped: no skew is invented, and none is lost."""
    profile = sample(events(Synthetic(rate=1_000, seconds=60, keys=20_000, zipf=zipf), seed=7), capacity)
    assert profile.zipf.low - 0.01 <= zipf <= profile.zipf.high + 0.01
    assert profile.zipf.exponent == pytest.approx(zipf, abs=0.04 if capacity == 20_000 else 0.1)


@pytest.mark.parametrize("capacity", [20_000, 1_000])
def test_keys_that_never_come_again_are_even(capacity: int) -> None:
    """Ids of orders and of requests have no skew, and no key of them is called heavy."""
    profile = sample(((f"id-{i}", i / 1_000, 100) for i in range(40_000)), capacity)
    assert (profile.zipf.exponent, profile.zipf.low) == (0.0, 0.0)
    assert profile.zipf.high < 1
    assert profile.keys == pytest.approx(40_000, rel=0.05)
    assert all(hot.record_share <= 1 / 40_000 for hot in profile.hot_keys)


def test_clumped_keys_widen_the_zipf_interval() -> None:
    """Keys that come in clumps of very different sizes tell less of the law than single records do."""
    rng = np.random.default_rng(1)
    counts = 20_000 * zipf_shares(2_000, 1.0)
    even, clumped = rng.poisson(counts), rng.poisson(counts / 40) * 40
    wide, narrow = (
        fit_zipf(drawn[drawn > 0].astype(float), np.count_nonzero(drawn), float(drawn.sum()))
        for drawn in (clumped, even)
    )
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_a_synthetic_spec_is_sampled_like_a_file(tmp_path: Path) -> None:
    """A .toml spec needs no columns; the same seed gives the same profile; a wrong one is told."""
    spec = tmp_path / "launch.toml"
    spec.write_text("rate = 50\nseconds = 20\nkeys = 10\n")
    first, again = run("sample", str(spec), "--seed", "4"), run("sample", str(spec), "--seed", "4")
    assert first.exit_code == 0
    assert first.stdout == again.stdout
    assert json.loads(first.stdout)["keys"] == 10
    spec.write_text("rate = 50\nsecond = 20\n")
    done = run("sample", str(spec))
    assert done.exit_code == 1
    assert "second" in done.stderr


def test_a_file_needs_its_columns_named(tmp_path: Path) -> None:
    """Without --key and --timestamp a table cannot be read, and a row that is cut short is told by number."""
    file = tmp_path / "events.csv"
    file.write_text("key,when\na,1\nb\n")
    assert "give --key and --timestamp" in run("sample", str(file)).stderr
    done = run("sample", str(file), "--key", "key", "--timestamp", "when")
    assert done.exit_code == 1
    assert "line 3 has 1 fields" in done.stderr


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("b,1", "line 352 has 2 fields, the header 3"),
        ("b,soon,1", "line 352: 'soon' is no time: write ISO 8601"),
        ("b,1,many", "line 352: 'many' is no number of bytes"),
        ("b,1,1e400", "line 352: '1e400' is no number of bytes"),
        (f"b,1,{10**20}", f"line 352: {10**20} bytes are more than any record has"),
        ("b,1,-1", "its size -1 is negative"),
    ],
)
def test_a_bad_row_among_many_good_ones_is_named(tmp_path: Path, row: str, problem: str) -> None:
    """Rows are read many at once, and each mistake still has its line."""
    file = tmp_path / "events.csv"
    rows = [f"key-{at},{at},100" for at in range(400)]
    rows[350] = row
    file.write_text("\n".join(["key,when,size", *rows]))
    done = run("sample", str(file), "--key", "key", "--timestamp", "when", "--size", "size")
    assert done.exit_code == 1
    assert problem in done.stderr


def test_a_file_of_several_batches_is_one_sample(tmp_path: Path) -> None:
    """No row is lost or counted twice where one batch ends and the next begins."""
    file = tmp_path / "events.csv"
    rows = [("first" if at % 3 else "second", at // 1_000, 100 + at % 2) for at in range(2 * BATCH + 51)]
    file.write_text("\n".join(["key,when,size", *(f"{key},{at},{size}" for key, at, size in rows)]))
    done = run("sample", str(file), "--key", "key", "--timestamp", "when", "--size", "size")
    assert json.loads(done.stdout)["records"] == len(rows)
    assert msgspec.json.decode(done.stdout, type=Profile) == sample(rows)


def test_times_more_than_a_year_apart_are_refused() -> None:
    """Milliseconds taken for seconds are caught before they fill the memory."""
    with pytest.raises(InputError, match="more than a year"):
        sample([("a", 0.0, 1), ("b", 1.6e12, 1)])


def test_keys_that_kinesis_refuses_are_counted_and_said(tmp_path: Path) -> None:
    """Keys over 256 characters, and empty ones, get a warning with the first line, and a name in tables."""
    file, out = tmp_path / "events.csv", tmp_path / "profile.json"
    file.write_text(
        "key,when\n" + "".join(f"{key},{at}\n" for at, key in enumerate(["a", "ä" * 257, "", ""]))
    )
    done = run("sample", str(file), "--key", "key", "--timestamp", "when", "--out", str(out))
    assert done.exit_code == 0
    assert "1 rows, the first in line 3, have keys of more than 256 characters" in done.stderr
    assert "50.0 % of the rows have an empty key" in done.stderr
    assert "(empty)" in run("hotkeys", str(out)).stdout


def test_hot_keys_are_judged_at_the_rate_that_is_planned_for(tmp_path: Path) -> None:
    """A key that is light today is too heavy at a hundred times the busiest minute."""
    out = tmp_path / "profile.json"
    run("sample", str(ORDERS), "--key", "CustomerID", "--timestamp", "InvoiceDate", "--out", str(out))
    today, grown = run("hotkeys", str(out)), run("hotkeys", str(out), "--growth", "1000")
    assert (today.exit_code, grown.exit_code) == (0, 2)
    assert "at the 99.9 % minute, 2,346 records/s" in grown.stdout
    assert "does not know the rate by second" in run("hotkeys", str(out), "--at", "max-second").stderr


def test_a_packed_pipe_is_read_like_the_file(tmp_path: Path) -> None:
    """``cat x.csv.gz | shard-sizing sample -`` needs no zcat, however small its first piece is."""
    out, packed = tmp_path / "piped.json", ORDERS.read_bytes()
    asked = ("--key", "StockCode", "--timestamp", "InvoiceDate", "--out")
    command = [sys.executable, "-m", "shard_sizing.cli.main", "sample", "-", *asked, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sampling:
        assert sampling.stdin is not None
        sampling.stdin.write(packed[:1])
        sampling.stdin.flush()
        sampling.communicate(packed[1:])
    assert sampling.returncode == 0
    assert run("sample", str(ORDERS), *asked, str(tmp_path / "file.json")).exit_code == 0
    assert out.read_bytes() == (tmp_path / "file.json").read_bytes()


def test_even_keys_are_called_even_and_none_is_singled_out(tmp_path: Path) -> None:
    """The heaviest of many light keys is so by chance; what nobody has over a limit is not mentioned."""
    file, out = tmp_path / "events.csv", tmp_path / "profile.json"
    rows = [f"key-{number * 7919 % 4_001},{number // 100},{300 + number % 7}" for number in range(12_000)]
    file.write_text("\n".join(["key,when,size", *rows]))
    done = run(
        "sample", str(file), "--key", "key", "--timestamp", "when", "--size", "size", "--out", str(out)
    )
    assert "the heaviest 100 keys are even (Zipf exponent 0, " in done.stdout
    assert "times what that gives it" not in done.stdout
    assert "maximum record size" not in run("size", str(out)).stdout
    assert "0.03 %" in run("hotkeys", str(out)).stdout
