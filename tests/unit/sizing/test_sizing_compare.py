"""Bills of the three modes: what AWS rounds, and what no mode can carry."""

import json

import pytest

from fakes.sizing_cli import run
from shard_sizing.model.cost.monthly import Workload, as_sent, monthly, packed
from shard_sizing.model.data_files import load_prices
from shard_sizing.model.workload.profile import synthetic

PRICES = load_prices().region("us-east-1")
MONTH = 730 * 3600


def test_no_mode_carries_a_key_that_is_too_heavy_for_a_shard() -> None:
    """A shard takes as much in on-demand streams: exit 3, no advice, and the way out is named."""
    done = run("compare", "--rate", "20000", "--zipf", "1.1", "--keys", "20000")
    assert done.exit_code == 3
    assert done.stdout.startswith("No mode carries this load: one key is too heavy for a shard")
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
