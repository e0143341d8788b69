"""The whole pipeline at a scale: what breaks first and what it costs, from the calls that were counted."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.sizing_cli import run
from shard_sizing.model.data_files import load_limits, load_prices
from shard_sizing.model.pipeline.bill import bill, kinesis_floor
from shard_sizing.model.pipeline.load import Pipeline, calls_per_second, containers, loads
from shard_sizing.model.pipeline.order_calls import IdleCalls, OrderCalls, load_order_calls
from shard_sizing.model.pipeline.usage import usage

LIMITS = load_limits()
PRICES = load_prices().region("us-east-1")
COUNTED = OrderCalls(
    date="2026-01-01",
    made_by="by hand",
    shards=2,
    processes=10,
    readers=2,
    orders=10,
    milliseconds_per_order=100.0,
    calls={"kinesis.PutRecords": 4.0, "dynamodb.TransactWriteItems": 1.0, "sqs.SendMessage": 1.0},
    entries={"kinesis.PutRecords": 8.0, "dynamodb.TransactWriteItems": 3.0, "sqs.SendMessage": 1.0},
    bytes={"kinesis.PutRecords": 8_000.0, "s3.PutObject": float(2**20)},
    units={
        "dynamodb_capture": 2.0,
        "dynamodb_read": 3.0,
        "dynamodb_write": 12.0,
        "kinesis_put": 8.0,
        "log_byte": 2.0**20,
        "s3_put": 1.0,
        "ses_mail": 0.75,
        "sqs_request": 1.0,
    },
    per_line={"dynamodb_capture": 2.0, "dynamodb_write": 4.5, "log_byte": 10.0},
    stated_units={"dynamodb_read": 3.0, "dynamodb_write": 12.0},
    write_units={"orders": 8.0, "stock": 4.0},
    read_units={"orders": 3.0},
    stored_bytes=float(2**20),
    idle_calls_per_second=IdleCalls(
        per_shard={"kinesis.GetRecords": 2.5, "dynamodb.UpdateItem": 1.0},
        per_process={"sqs.ReceiveMessage": 0.5, "dynamodb.PutItem": 2.0, "dynamodb.Query": 1.0},
    ),
)


MONTH = 730 * 3600


def pipeline(orders: float, shards: int = 2, *, applications: int = 10, stock_shards: int = 1) -> Pipeline:
    return Pipeline(
        orders=orders,
        shards=shards,
        stock_shards=stock_shards,
        readers=2,
        applications=applications,
        payments_per_second=5.0,
        utilisation=0.7,
        vcpus=0.25,
        metrics=10,
        traced=0.05,
    )


def test_idle_calls_grow_with_what_makes_them() -> None:
    """Polls and lease renewals go by leases, heartbeats and queues by processes, and orders add theirs.

    Counted with two readers on two shards and one of the stock's: five leases; asked for twice as many.
    """
    asked = calls_per_second(COUNTED, pipeline(3.0, shards=4, stock_shards=2, applications=20))
    assert asked == {
        "dynamodb.PutItem": 4.0,
        "dynamodb.Query": 2.0,
        "dynamodb.TransactWriteItems": 3.0,
        "dynamodb.UpdateItem": 2.0,
        "kinesis.GetRecords": 5.0,
        "kinesis.PutRecords": 12.0,
        "sqs.ReceiveMessage": 1.0,
        "sqs.SendMessage": 3.0,
    }
    assert calls_per_second(COUNTED, pipeline(3.0, applications=1))["dynamodb.PutItem"] == 2.0


def test_the_bill_is_what_was_reckoned_by_hand() -> None:
    """One order a second for 730 hours: units by item sizes, both streams, capture, and idle calls."""
    found = bill(COUNTED, pipeline(1.0), PRICES)
    month = {name: cost.first_month for name, cost in found.items()}
    kept = MONTH / 2**10  # GB that a month leaves
    dynamodb = (12 + 3.0) * 2.628 * 0.625 + (3 + 1.0) * 2.628 * 0.125 + 2 * 2.628 * 0.10
    assert month["DynamoDB"] == pytest.approx(dynamodb + kept * 0.25 / 2)
    assert month["SQS"] == pytest.approx(1.5 * 2.628 * 0.40)
    assert month["SES"] == pytest.approx(0.75 * 2.628 * 100.0)
    logs = MONTH / 2**10 * 0.50
    assert month["CloudWatch"] == pytest.approx(logs + 100 * 0.30 + 0.05 * 2.628 * 5.0)
    assert month["Kinesis"] == pytest.approx(3 * 730 * 0.015 + (8 + 2) * 2.628 * 0.014)
    assert month["Fargate"] == pytest.approx(730 * 2.5 * (0.03238 + 2 * 0.00356))
    without = bill(COUNTED, pipeline(1.0, stock_shards=0), PRICES)["Kinesis"].first_month
    assert month["Kinesis"] is not None
    assert without == pytest.approx(month["Kinesis"] - 730 * 0.015)


def test_a_year_keeps_what_its_months_have_brought() -> None:
    """Twelve months are not twelve first months: in the last one, eleven and a half months' data are kept."""
    found = bill(COUNTED, pipeline(1.0), PRICES)
    kept = MONTH / 2**10
    for name, usd in (("DynamoDB", 0.25), ("S3", 0.023)):
        month, year = found[name].first_month, found[name].first_year
        assert month is not None
        assert year == pytest.approx(12 * (month - kept * usd / 2) + kept * usd * 72)
    assert found["Fargate"].first_year == pytest.approx(12 * (found["Fargate"].first_month or 0))


def test_what_has_no_price_is_named_and_the_rest_is_answered() -> None:
    """In Tokyo only Kinesis' prices are on file: the bill says so for all others, and never guesses."""
    tokyo = load_prices().region("ap-northeast-1")
    found = bill(COUNTED, pipeline(1.0), tokyo)
    assert {name for name, cost in found.items() if cost.first_month is not None} == {"Kinesis"}
    done = run("whatif", "--orders", "1", "--x", "1", "--region", "ap-northeast-1")
    assert done.exit_code == 0
    assert "Prices not known in ap-northeast-1, so not in the sums: DynamoDB, SQS" in done.stdout


def test_limits_and_units_need_no_price(tmp_path: Path) -> None:
    """In a Region without prices all but the bill is answered, and it is said why there is none."""
    asked = ("whatif", "--orders", "1", "--x", "1,10", "--json")
    priced, unpriced = (
        json.loads(run(*asked, "--region", region).stdout) for region in ("us-east-1", "eu-west-1")
    )
    assert (priced["priced"], unpriced["priced"]) == (True, False)
    for one, other in zip(priced["scales"], unpriced["scales"], strict=True):
        assert (one["limits"], one["usage"]) == (other["limits"], other["usage"])
        assert all(cost["first_month"] is None for cost in other["usd"].values())
    plot = tmp_path / "limits.svg"
    done = run(*asked[:-1], "--region", "eu-west-1", "--plot", str(plot))
    assert done.exit_code == 2
    assert "No prices of eu-west-1 are on file, so there is no bill: multiply" in done.stdout
    assert "USD" not in done.stdout.replace("(--prices FILE)", "")
    assert plot.exists()
    assert run(*asked, "--region", "eu-wets-1").exit_code == 1


def test_the_bill_is_units_times_prices() -> None:
    """Whoever multiplies the units by a Region's prices gets the bill."""
    used = usage(COUNTED, pipeline(2.0))
    assert {each.service for each in used} == set(bill(COUNTED, pipeline(2.0), PRICES))
    for name, cost in bill(COUNTED, pipeline(2.0), PRICES).items():
        by_hand = sum(
            each.amount * PRICES[each.price] * (0.5 if each.kept else 1.0)
            for each in used
            if each.service == name
        )
        assert cost.first_month == pytest.approx(by_hand)


def test_the_polls_of_a_shard_are_held_against_its_limit() -> None:
    """Seven readers of a shard make nearly five calls a second: that limit is among those that are listed."""
    found = next(
        load for load in loads(COUNTED, pipeline(1.0), LIMITS, "us-east-1") if "GetRecords" in load.name
    )
    assert (found.asked, found.given) == (2.5 / (2 * 2 + 1) * 2, 5)


def test_the_most_used_limit_breaks_first() -> None:
    """Above five orders a second the payment provider is the first to give in."""
    assert loads(COUNTED, pipeline(50.0), LIMITS, "us-east-1")[0].name.startswith("the payment provider")
    assert loads(COUNTED, pipeline(50.0), LIMITS, "us-east-1")[0].used == 10


@given(st.floats(0.1, 1e4), st.floats(1, 100))
@settings(max_examples=30)
def test_more_orders_never_cost_less(orders: float, times: float) -> None:
    """Every part of the bill and every limit's use grows with the orders or stays."""
    low, high = (bill(COUNTED, pipeline(rate), PRICES) for rate in (orders, orders * times))
    for span in ("first_month", "first_year"):
        assert all(getattr(high[name], span) >= getattr(low[name], span) * (1 - 1e-9) for name in low)
    assert containers(COUNTED, pipeline(orders * times)) >= containers(COUNTED, pipeline(orders))


def test_an_order_of_other_lines_costs_by_the_line() -> None:
    """Each line takes its units, in the stock and in what its order's items and messages grow by."""
    one, eleven = COUNTED.with_lines(1.0), COUNTED.with_lines(11.0)
    assert one.units == COUNTED.units
    assert eleven.units["dynamodb_write"] == 12.0 + 10 * 4.5
    assert (eleven.captured_changes, eleven.lines) == (22.0, 11.0)
    assert eleven.write_units["stock"] == 44.0
    assert eleven.units["ses_mail"] == one.units["ses_mail"]


def test_reckoned_units_are_those_that_the_service_states() -> None:
    """The counted run's own requests: what is reckoned from the items in them, and what DynamoDB says."""
    counted = load_order_calls()
    for unit in ("dynamodb_write", "dynamodb_read"):
        assert counted.units[unit] == pytest.approx(counted.stated_units[unit], rel=0.01)


DOCS = Path(__file__).parents[3] / "docs" / "sizing.md"


def test_the_guide_says_what_was_counted() -> None:
    """Figures in the text are those of the bundled run."""
    counted, text = load_order_calls(), " ".join(DOCS.read_text(encoding="utf-8").split())
    assert f"{counted.units['dynamodb_write']:.1f} write units an order of {counted.lines:.1f} lines" in text
    assert f"of which {counted.write_units['stock']:.1f} are stock updates" in text
    assert f"DynamoDB's emulator stated {counted.stated_units['dynamodb_write']:.1f}." in text


def test_the_bundled_counts_are_a_dated_run() -> None:
    """They say when and how they were made, and hold what every order does."""
    counted = load_order_calls()
    assert counted.date
    assert "make calls-per-order" in counted.made_by
    assert 3 < counted.records < 30
    assert 100 < counted.record_bytes < 5_000
    assert counted.calls["sqs.SendMessage"] == pytest.approx(1.0, abs=0.3)


def test_the_command_answers_at_each_scale(tmp_path: Path) -> None:
    """One row a scale, exit 2 when something breaks, 0 when nothing does, 1 for a scale that is none."""
    counts = tmp_path / "calls.json"
    counts.write_bytes(msgspec.json.encode(COUNTED))
    asked = ("whatif", "--orders", "1", "--calls", str(counts))
    done = run(*asked, "--json", "--x", "1,10")
    assert done.exit_code == 2
    answer = json.loads(done.stdout)
    assert answer["schema"] == "shard-sizing/whatif/4"
    assert [scale["x"] for scale in answer["scales"]] == [1, 10]
    plot = tmp_path / "bill.svg"
    done = run(*asked, "--x", "1", "--plot", str(plot))
    assert done.exit_code == 0
    assert done.stdout.startswith("Nothing breaks")
    assert plot.read_text().startswith("<?xml")
    assert run(*asked, "--x", "ten").exit_code == 1


def test_kinesis_sets_a_floor() -> None:
    """Two streams of one shard cost 262.80 USD in twelve months before the first order comes."""
    assert kinesis_floor(pipeline(1.0), PRICES) == pytest.approx(262.80)
    assert kinesis_floor(pipeline(1.0, stock_shards=0), PRICES) == pytest.approx(131.40)


def test_limits_are_held_against_the_busiest_minutes(tmp_path: Path) -> None:
    """A month's mean breaks nothing; its busy minutes do, and the bill stays that of the mean."""
    counts = tmp_path / "calls.json"
    counts.write_bytes(msgspec.json.encode(COUNTED))
    asked = ("whatif", "--orders", "1000000", "--per", "month", "--x", "1", "--calls", str(counts))
    mean, peak = run(*asked), run(*asked, "--peak", "40")
    assert (mean.exit_code, peak.exit_code) == (0, 2)
    assert mean.stdout.startswith("Nothing breaks at this scale, if orders come evenly.")
    assert "the first limit to break is the payment provider, charges/s: 40.0 asked for" in peak.stdout
    even, busy = (
        bill(COUNTED, msgspec.structs.replace(pipeline(1.0), peak=peak), PRICES) for peak in (0.0, 3.0)
    )
    assert even == busy
    assert run(*asked, "--peak", "0.1").exit_code == 1


def test_twice_the_orders_are_twice_the_keys() -> None:
    """Orders are the keys, so shards grow with them, and not as if the same few became heavier."""
    asked = ("whatif", "--orders", "10000", "--x", "1,2", "--json")
    one, two = (scale["shards"] for scale in json.loads(run(*asked).stdout)["scales"])
    assert two / one == pytest.approx(2, rel=0.1)


def test_sums_of_known_prices_are_not_called_all() -> None:
    """In Tokyo nearly nothing has a price on file, and the rows say so."""
    tokyo = run("whatif", "--orders", "1", "--x", "1", "--region", "ap-northeast-1").stdout
    assert ("known prices, first month" in tokyo, "total, first month" in tokyo) == (True, False)


def test_one_sku_has_a_limit_that_no_scale_lifts() -> None:
    """Its stock is one item, which takes 1,000 write units a second: at four a line, 250 lines."""
    counted = load_order_calls()
    lines = json.loads(run("whatif", "--orders", "1", "--x", "1", "--json").stdout)["lines_of_one_sku"]
    assert lines == pytest.approx(1_000 / (counted.write_units["stock"] / counted.lines))
    assert 200 < lines < 300


def test_containers_have_sizes_that_fargate_sells() -> None:
    """A third of a vCPU cannot be had, nor an order without a line."""
    asked = ("whatif", "--orders", "1", "--x", "1")
    assert run(*asked, "--vcpus", "0.3").exit_code == 1
    assert run(*asked, "--lines", "0.5").exit_code == 1
