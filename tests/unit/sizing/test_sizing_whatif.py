"""The whole pipeline at a scale: what breaks first and what it costs, from the calls that were counted."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.sizing_cli import run
from shard_sizing.model.data_files import load_limits, load_prices
from shard_sizing.model.pipeline import (
    OrderCalls,
    Pipeline,
    calls_per_second,
    containers,
    load_order_calls,
    loads,
    monthly_bill,
)

LIMITS = load_limits()
PRICES = load_prices().region("us-east-1")
COUNTED = OrderCalls(
    date="2026-01-01",
    made_by="by hand",
    shards=2,
    orders=10,
    milliseconds_per_order=100.0,
    calls={"kinesis.PutRecords": 4.0, "dynamodb.TransactWriteItems": 1.0, "sqs.SendMessage": 1.0},
    entries={"kinesis.PutRecords": 8.0, "dynamodb.TransactWriteItems": 3.0, "sqs.SendMessage": 1.0},
    bytes={"kinesis.PutRecords": 8_000.0},
    idle_calls_per_second={"kinesis.GetRecords": 2.0, "sqs.ReceiveMessage": 0.5},
)


def pipeline(orders: float, shards: int = 2) -> Pipeline:
    return Pipeline(orders, shards, 10, 5.0, 0.7, 0.25, 1024, 10, 0.05)


def test_idle_polls_grow_with_the_shards_and_orders_add_theirs() -> None:
    """Twice the shards are polled twice as often; a queue is polled as before."""
    asked = calls_per_second(COUNTED, pipeline(3.0, shards=4))
    assert asked == {
        "dynamodb.TransactWriteItems": 3.0,
        "kinesis.GetRecords": 4.0,
        "kinesis.PutRecords": 12.0,
        "sqs.ReceiveMessage": 0.5,
        "sqs.SendMessage": 3.0,
    }


def test_the_bill_is_what_was_reckoned_by_hand() -> None:
    """One order a second for 730 hours: transactional writes count twice, requests of SQS once."""
    bill = monthly_bill(COUNTED, pipeline(1.0), PRICES)
    assert bill["DynamoDB"] == pytest.approx(6 * 2.628 * 0.625)
    assert bill["SQS"] == pytest.approx(1.5 * 2.628 * 0.40)
    assert bill["Kinesis"] == pytest.approx(2 * 730 * 0.015 + 8 * 2.628 * 0.014)
    assert bill["Fargate"] == pytest.approx(730 * 2.5 * (0.03238 + 2 * 0.00356))


def test_the_most_used_limit_breaks_first() -> None:
    """Above five orders a second the payment provider is the first to give in."""
    assert loads(COUNTED, pipeline(50.0), LIMITS, "us-east-1")[0].name.startswith("payment provider")
    assert loads(COUNTED, pipeline(50.0), LIMITS, "us-east-1")[0].used == 10


@given(st.floats(0.1, 1e4), st.floats(1, 100))
@settings(max_examples=30)
def test_more_orders_never_cost_less(orders: float, times: float) -> None:
    """Every part of the bill and every limit's use grows with the orders or stays."""
    low, high = (monthly_bill(COUNTED, pipeline(rate), PRICES) for rate in (orders, orders * times))
    assert all(high[name] >= low[name] * (1 - 1e-9) for name in low)
    assert containers(COUNTED, pipeline(orders * times)) >= containers(COUNTED, pipeline(orders))


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
    assert answer["schema"] == "shard-sizing/whatif/1"
    assert [scale["x"] for scale in answer["scales"]] == [1, 10]
    plot = tmp_path / "bill.svg"
    done = run(*asked, "--x", "1", "--plot", str(plot))
    assert done.exit_code == 0
    assert done.stdout.startswith("Nothing breaks")
    assert plot.read_text().startswith("<?xml")
    assert run(*asked, "--x", "ten").exit_code == 1
    assert run(*asked, "--region", "ap-northeast-1").exit_code == 1
