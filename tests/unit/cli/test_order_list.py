"""What an operator sees of many orders at once."""

import datetime as dt
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fakes.order_history import envelope_of, placed
from fakes.shard import delivered
from orderstream_orders.contracts import Customer, OrderCancelled
from orderstream_workers.cli.layout import table
from orderstream_workers.cli.order import order
from orderstream_workers.projections.order_status import (
    ReadModelError,
    ReadModelWriter,
    migrate,
    open_engine,
)

IDS = tuple(f"0d2c1f8e-5b1d-5d0f-9d6e-0c6f3a1f7b2{digit}" for digit in "123")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A read model with three orders, placed one, two and three hours ago; the oldest is cancelled."""
    url = f"sqlite:///{tmp_path / 'model.sqlite'}"
    engine = open_engine(url)
    migrate(engine)
    now = dt.datetime.now(dt.UTC)
    messages = [
        envelope_of(placed(order_id), time=now - dt.timedelta(hours=hours, minutes=1))
        for hours, order_id in enumerate(IDS, start=1)
    ]
    messages.append(
        envelope_of(OrderCancelled(order_id=IDS[2], customer=Customer(), reason="card_declined"), time=now)
    )
    records = [delivered(number, one.encode(), key=one.subject) for number, one in enumerate(messages)]
    ReadModelWriter(engine).apply_batch(records)
    engine.dispose()
    return url


def run(url: str, *arguments: str) -> Result:
    runner = CliRunner(env={"ORDERSTREAM_READ_MODEL_URL": url})
    return runner.invoke(order, ["list", "--aws", *arguments])


def test_cancelled_orders_by_reason(url: str) -> None:
    """A reason that no contract lists is refused, and the others are named."""
    assert IDS[2] in (found := run(url, "--reason", "card_declined").stdout)
    assert IDS[0] not in found
    assert run(url, "--reason", "step_overdue").stdout == "no such orders\n"
    refused = run(url, "--reason", "declined")
    assert (refused.exit_code, "card_declined" in refused.stderr) == (2, True)


def test_orders_in_columns(url: str) -> None:
    """State, age, total and customer; under a cancelled order the reason; no address."""
    result = run(url)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"{'ORDER':<36}  STATE      AGE    TOTAL     CUSTOMER",
        f"{IDS[0]}  PLACED     1h 1m  2.50 GBP  17850",
        f"{IDS[1]}  PLACED     2h 1m  2.50 GBP  17850",
        f"{IDS[2]}  CANCELLED  3h 1m  2.50 GBP  17850",
        "    card_declined",
    ]
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert run(url, "--customer", "nobody").stdout == "no such orders\n"


def test_a_row_of_the_longest_usual_cells_fits_a_terminal() -> None:
    """An order of a thousand pounds that is twelve days old stays on one line of 80 columns."""
    heads = ("ORDER", "STATE", "AGE", "TOTAL", "CUSTOMER")
    rows = [(IDS[0], "CANCELLED", "12d 23h", "1234.50 GBP", "17850")]
    assert all("\n" not in line and len(line) <= 80 for line in table(heads, rows, columns=80))


def test_pages_and_filters(url: str) -> None:
    """The next page is named on standard error, and in JSON; ages bound from both sides."""
    first = run(url, "--limit", "2")
    assert first.stderr.splitlines()[-1] == f"more follow: add --after {IDS[1]}"
    second = run(url, "--limit", "2", "--after", IDS[1], "--json")
    page = json.loads(second.stdout)
    assert ([one["order_id"] for one in page["orders"]], page["next"]) == ([IDS[2]], None)
    assert page["orders"][0]["state_reason"] == "card_declined"
    aged = run(
        url, "--older-than", "90m", "--newer-than", "1d", "--state", "placed", "--sku", "85123A", "--json"
    )
    assert [one["order_id"] for one in json.loads(aged.stdout)["orders"]] == [IDS[1]]
    assert run(url, "--after", IDS[2]).stdout == "no more such orders\n"


@pytest.mark.parametrize("given", ["soon", "3", "-1h", "1.5h", "999999999d", "2h 5m"])
def test_an_age_that_is_none_is_a_mistake_of_the_command_line(url: str, given: str) -> None:
    """Exit status 2, and an example of what an age looks like."""
    result = run(url, "--older-than", given)
    assert (result.exit_code, "such as 90s, 15m, 2h or 3d" in result.stderr) == (2, True)


def test_a_database_without_the_tables_is_said_in_one_sentence(tmp_path: Path) -> None:
    """The read model's name and what the database said of it, and no statement."""
    (tmp_path / "empty.sqlite").touch()
    result = run(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    assert isinstance(result.exception, ReadModelError)
    assert "no such table" in str(result.exception)
    assert "SELECT" not in str(result.exception)


def test_what_an_order_has_cost_so_far(url: str) -> None:
    """On AWS: by the prices of the Region that is set, in a table of 80 columns."""
    runner = CliRunner(env={"ORDERSTREAM_READ_MODEL_URL": url, "AWS_REGION": "us-east-1"})
    result = runner.invoke(order, ["show", IDS[2], "--cost", "--aws"])
    assert result.exit_code == 0, result.output
    first, *lines = result.stdout.splitlines()
    assert first.startswith(f"order {IDS[2]}: 0.0000")
    assert any(line.startswith("DynamoDB") for line in lines)
    assert any(line.startswith("total") for line in lines)
    assert max(len(line) for line in lines[: lines.index("", 1)]) <= 80  # prose is wrapped in a terminal
