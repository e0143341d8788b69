"""The commands from end to end: answers, exit codes, and one clear sentence for wrong input."""

import json
from pathlib import Path

import pytest

from fakes.sizing_cli import run

ORDERS = Path(__file__).parents[3] / "data" / "online-retail-2010-12.csv.gz"


@pytest.mark.parametrize("key", ["CustomerID", "StockCode", "InvoiceNo"])
def test_real_orders_become_a_profile_that_can_be_sized(key: str, tmp_path: Path) -> None:
    """The bundled orders are sampled by customer, SKU and order, and each profile is sized."""
    profile = tmp_path / "profile.json"
    done = run("sample", str(ORDERS), "--key", key, "--timestamp", "InvoiceDate", "--out", str(profile))
    assert done.exit_code == 0, done.stderr
    assert json.loads(profile.read_bytes())["records"] == 42_481
    assert run("hotkeys", str(profile), "--json").exit_code in (0, 2)
    done = run("size", str(profile), "--json")
    assert done.exit_code in (0, 3), done.stderr
    assert json.loads(done.stdout)["schema"] == "shard-sizing/size/2"


def test_exit_codes_tell_the_verdict() -> None:
    """0 fits, 2 does not fit, 3 is infeasible, 1 is wrong input."""
    assert run("size", "--rate", "500", "--keys", "1000").exit_code == 0
    assert run("simulate", "--rate", "2000", "--zipf", "1.1", "--shards", "2").exit_code == 2
    assert run("size", "--rate", "9000", "--zipf", "1.1").exit_code == 3
    assert run("size").exit_code == 1


def test_the_plain_sentence_comes_first() -> None:
    """A person reads the answer before any table."""
    assert run("size", "--rate", "2000", "--zipf", "1.1").stdout.startswith(
        "For the 99.9 % minute, 2,000 records/s (steady: the mean is the same), you need 4 shards, "
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "it is empty"),
        ("when,size\n1,2\n", "no column 'key'"),
        ("key,when,size\na,1,-5\n", "negative"),
        ("key,when,size\na,2020-01-01T00:00:00,5\nb,2020-01-01T00:00:00+01:00,5\n", "use one kind"),
        ("key,when,size\na,yesterday,5\n", "line 2"),
        ("key,when,size\na,nan,5\n", "no time"),
        ("key,when,size\na,1,nan\n", "line 2"),
        ("key,when,size\na,1,20000000\n", "keep large payloads in S3"),
        ('{"key": "a", "when": 1, "size": 1}\n{"key"\n', "line 2: it is not a JSON object"),
    ],
)
def test_bad_input_is_told_in_a_sentence(content: str, told: str, tmp_path: Path) -> None:
    """Whatever is wrong with a file, it is said clearly, with exit 1 and no traceback."""
    file = tmp_path / "events"
    file.write_text(content)
    done = run("sample", str(file), "--key", "key", "--timestamp", "when", "--size", "size")
    assert done.exit_code == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plot_is_written(tmp_path: Path) -> None:
    """A simulation draws the load of its shards."""
    plot = tmp_path / "loads.png"
    assert run("simulate", "--rate", "500", "--shards", "3", "--plot", str(plot)).exit_code == 0
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_compare_answers_in_json() -> None:
    """The costs of every mode come with a versioned schema."""
    answer = json.loads(run("compare", "--rate", "2000", "--keys", "5000", "--json").stdout)
    assert answer["schema"] == "shard-sizing/compare/4"
    assert answer["aggregated"]["costs"]["provisioned"] < answer["plain"]["costs"]["provisioned"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("size", "--rate", "nan"), "finite"),
        (("size", "--rate", "inf"), "finite"),
        (("size", "--rate", "-1"), "range"),
        (("size", "--rate", "9", "--burst-cv", "nan"), "finite"),
        (("size", "--rate", "9", "--bytes", "20000000"), "keep large payloads in S3"),
        (("size", "--rate", "9", "--region", "mars-1"), "eu-west-1"),
        (("size", "--rate", "9", "--plot", "nowhere/plot.png"), "nowhere/plot.png"),
        (("whatif", "--orders", "1", "--x", "nan"), "above 0"),
        (("workers", "--rate", "9", "--milliseconds", "nan", "--shards", "1"), "finite"),
    ],
)
def test_options_out_of_reach_are_told_in_a_sentence(arguments: tuple[str, ...], told: str) -> None:
    """Values that are no numbers, files that do not exist: exit 1 and no traceback."""
    done = run(*arguments)
    assert done.exit_code == 1
    assert told in done.stderr


def test_compare_knows_what_a_region_lacks() -> None:
    """Tokyo has no price of Advantage on file: that is said, and the other modes are answered."""
    answer = json.loads(run("compare", "--rate", "200", "--region", "ap-northeast-1", "--json").stdout)
    assert answer["plain"]["costs"]["advantage"] is None
    assert answer["plain"]["costs"]["standard"] > 0
    done = run("compare", "--rate", "200", "--region", "eu-west-1")
    assert done.exit_code == 1
    assert "ap-northeast-1, us-east-1" in done.stderr


def test_compare_warns_of_what_a_bill_does_not_say() -> None:
    """Break-evens, the limit of mode switches, the warm-up and Advantage's minimum are told."""
    told = run("compare", "--rate", "20000", "--keys", "5000").stdout
    for words in (
        "Break-even record by record",
        "2 times in 24 hours",
        "starts at 4 MiB/s",
        "at least 25 MiB/s",
    ):
        assert words in told
