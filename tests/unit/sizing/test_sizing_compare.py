"""Bills of the three modes: what AWS rounds, and what no mode can carry."""

import json
from pathlib import Path

import msgspec
import pytest

from fakes.sizing_cli import run
from shard_sizing.model.cost.monthly import Workload, as_sent, monthly, packed
from shard_sizing.model.data_files import load_prices
from shard_sizing.model.workload.profile import KinesisRecords, synthetic

PRICES = load_prices().region("us-east-1")
MONTH = 730 * 3600


def test_no_mode_carries_a_key_that_is_too_heavy_for_a_shard() -> None:
    """A shard takes as much in on-demand streams: exit 3, no advice, and the way out is named."""
    done = run("compare", "--rate", "20000", "--zipf", "1.1", "--keys", "20000")
    assert done.exit_code == 3
    assert done.stdout.startswith("No mode carries this load: the heaviest key alone overloads a shard")
    assert "Cheapest" not in done.stdout
    assert "salt it over" in done.stdout


def test_aggregation_may_carry_what_single_records_cannot() -> None:
    """Where records bind and bytes do not, only the aggregated bill is an answer."""
    done = run("compare", "--rate", "9000", "--zipf", "1.1", "--bytes", "100", "--keys", "2000")
    assert done.exit_code == 0
    assert done.stdout.startswith("Only aggregated records can be carried")
    assert done.stdout.count("cannot carry it") >= 3


def test_units_are_means_of_rounded_sizes() -> None:
    """Half of 100 bytes and half of 40,000: 20.5 KiB and 1.5 PUT units a record, not those of the mean."""
    load = Workload(1_000, 20_050, kib_units=20.5, put_units=1.5, shards=21)
    bill = monthly(load, PRICES, 25.0)
    assert bill.provisioned == pytest.approx(21 * 0.015 * 730 + 1_500 * MONTH / 1e6 * 0.014)
    in_gb, out_gb = (1_000 * each * MONTH / 2**30 for each in (20.5 * 1024, 20_050))
    assert bill.standard == pytest.approx(0.04 * 730 + in_gb * 0.08 + out_gb * 0.04)


def test_spread_sizes_cost_more_than_equal_ones_of_the_same_mean() -> None:
    """Lognormal sizes of 900 bytes: a record beyond a KiB is billed as two, so ingest is dearer."""
    spread, equal = (as_sent(synthetic(1_000, 900, 0.0, 0.0, bytes_cv=cv), 1) for cv in (1.5, 0.0))
    dear, cheap = (monthly(load, PRICES, 25.0).standard for load in (spread, equal))
    assert dear is not None
    assert cheap is not None
    assert dear / cheap > 1.2


def test_one_byte_more_is_no_cliff_where_sizes_are_spread() -> None:
    """Only equal sizes jump at a KiB."""
    at, beyond = (as_sent(synthetic(1, size, 0.0, 0.0, bytes_cv=0.5), 1).kib_units for size in (1_024, 1_025))
    assert at == pytest.approx(beyond, rel=0.01)


def test_aggregates_round_up_half_a_unit_on_average() -> None:
    """They differ in size; one that is smaller than a unit is one unit."""
    assert packed(10, 300, 1).kib_units == 1
    assert packed(10, 10_240, 1).kib_units == 10.5
    assert packed(10, 25_000, 1).put_units == 1.5


def test_reading_again_what_is_old_is_billed() -> None:
    """Beyond seven days each GB that is read again has its price; for Advantage it is not on file."""
    plain, again = (
        monthly(Workload(10, 1_000, 1, 1, 1, retention_hours=720, long_term_read_gb=gb), PRICES, 25.0)
        for gb in (0.0, 100.0)
    )
    assert plain.provisioned is not None
    assert again.provisioned == pytest.approx(plain.provisioned + 100 * 0.021)
    assert (plain.advantage is None, again.advantage) == (False, None)


def test_what_is_not_priced_is_named() -> None:
    """KMS, endpoints and traffic between zones are in no figure, so the answer says so."""
    answer = json.loads(run("compare", "--rate", "90", "--keys", "500", "--json").stdout)
    assert "KMS" in answer["not_priced"]
    assert "VPC endpoints" in answer["not_priced"]


def test_many_producers_aggregate_less_and_pay_more() -> None:
    """Each sends an aggregate of its own to every shard, so their number decides what aggregation costs."""
    asked = ("compare", "--rate", "3000", "--bytes", "100", "--keys", "500", "--json")
    few, many, lingering = (
        json.loads(run(*asked, *more).stdout)["aggregated"]["costs"]["provisioned"]
        for more in (("--producers", "2"), ("--producers", "200"), ("--producers", "200", "--linger", "1"))
    )
    assert few < many
    assert lingering < many


def test_a_refusal_names_its_own_reason() -> None:
    """Records over the maximum size, and polls beyond five a second, are no heavy key, and no mode helps."""
    large = run("compare", "--rate", "5", "--bytes", "5000000", "--keys", "500")
    assert (large.exit_code, "maximum record size" in large.stdout.splitlines()[0]) == (3, True)
    raised = run(
        "compare", "--rate", "0.04", "--bytes", "5000000", "--keys", "500", "--max-record-kib", "10240"
    )
    assert raised.exit_code == 0
    polls = run("compare", "--rate", "50", "--keys", "500", "--consumers", "30")
    assert (polls.exit_code, "which answers 5" in polls.stdout.splitlines()[0]) == (3, True)


def test_only_advantage_has_more_than_20_registered_consumers() -> None:
    """40 are refused by provisioned and Standard streams, 60 by all."""
    asked = ("compare", "--rate", "50", "--keys", "500", "--efo", "--consumers")
    forty, sixty = run(*asked, "40"), run(*asked, "60")
    assert forty.stdout.startswith("Cheapest is on-demand Advantage")
    assert forty.stdout.count("cannot carry it") == 4
    assert (sixty.exit_code, "at most 50 registered consumers, and 60" in sixty.stdout) == (3, True)


def test_a_stream_has_whole_shards() -> None:
    """Load that is spread over streams needs at least a shard in each, and as many in each."""
    asked = ("compare", "--rate", "5000", "--keys", "5000", "--json", "--streams")
    one, four, fifty = (json.loads(run(*asked, str(n)).stdout)["plain"]["shards"] for n in (1, 4, 50))
    assert (four % 4, four >= one, four < one + 4, fifty) == (0, True, True, 50)


def test_break_evens_do_not_depend_on_the_rate_of_today() -> None:
    """A shard that idles at a hundredth of a record a second is no measure of what the next thousand take."""
    asked = ("compare", "--bytes", "1500", "--bytes-cv", "0.5", "--keys", "500", "--json", "--peak")
    found = [
        {
            (at["below"], at["above"]): at["records_per_second"]
            for at in json.loads(run(*asked, str(20 * rate), "--rate", str(rate)).stdout)["plain"][
                "break_evens"
            ]
        }
        for rate in (0.01, 200)
    ]
    assert found[0].keys() == found[1].keys() != set()
    for modes, rate in found[0].items():
        assert rate == pytest.approx(found[1][modes], rel=0.1)


def test_no_break_even_lies_where_a_key_is_too_heavy() -> None:
    """Beyond the rate at which the heaviest key fills a shard there is nothing to choose between."""
    done = run("compare", "--rate", "2000", "--zipf", "1.1", "--keys", "2000", "--json")
    ceiling = json.loads(run("size", "--rate", "2000", "--zipf", "1.1", "--keys", "2000", "--json").stdout)[
        "ceiling"
    ]
    assert all(at["records_per_second"] <= ceiling for at in json.loads(done.stdout)["plain"]["break_evens"])


def test_a_new_stream_is_held_against_the_peak() -> None:
    """The mean of a bursty day fits where its busy minutes do not, and small records count by number."""
    steady, busy = (
        run("compare", "--rate", "100", "--keys", "500", "--peak", peak).stdout for peak in ("100", "5000")
    )
    assert "A new on-demand Standard stream starts at" not in steady
    assert "4 MiB/s and 4,000 records/s, and the planned peak is 2.4 MiB/s and 5,000" in busy


def test_who_aggregates_is_said_in_the_answer() -> None:
    """The saving is that of so many producers; nobody takes one producer's for that of a fleet."""
    asked = ("compare", "--rate", "900", "--bytes", "100", "--keys", "500")
    assert "with records aggregated by 1 producer (assumed), " in run(*asked).stdout.splitlines()[0]
    fleet = run(*asked, "--producers", "9", "--linger", "0.5").stdout
    assert "aggregated by 9 producers with a linger of 0.5 s" in fleet.splitlines()[0]


def test_asked_producers_take_the_place_of_measured_ones(tmp_path: Path) -> None:
    """A stream's aggregates are taken as they were measured, until the question is about other producers."""
    made_up = synthetic(900, 100, 0.0, 0.0, keys=500)
    carried = KinesisRecords(
        9_000, 90.0, 1_000.0, 1.0, made_up.peaks.times(0.1), ((1_000.0, 1.0),), 1.0, 1.0, 1_000
    )
    profile = tmp_path / "live.json"
    profile.write_bytes(msgspec.json.encode(msgspec.structs.replace(made_up, kinesis=carried)))
    measured, asked = (
        run("compare", str(profile), *more).stdout.splitlines()[0] for more in ((), ("--producers", "9"))
    )
    assert "aggregated as measured" in measured
    assert "aggregated by 9 producers" in asked
