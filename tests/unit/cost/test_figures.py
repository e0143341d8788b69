"""What is dearer than the committed figures, and by which operation."""

import msgspec
import pytest

from cost.document import DOCUMENT, documented
from cost.figures import Figures, PlayedOrder, dearer, mean_operations, median_order, units_per_message
from cost.meter import Billed
from cost.run import COMMITTED
from orderstream.aws.billing import prices_date, unit_prices

PRICES = unit_prices("us-east-1") or {}
PUT = Billed("inventory", "ReserveStock", "dynamodb.PutItem stock", "dynamodb_write")
MAIL = Billed("notifications", "OrderConfirmed", "ses.SendEmail", "ses_mail")


def order(lines: int, puts: float, mails: float = 1.0) -> PlayedOrder:
    return PlayedOrder(lines, {PUT: puts, MAIL: mails})


def figures(*orders: PlayedOrder) -> Figures:
    usd = [each.usd(PRICES) for each in orders]
    return Figures(
        "2026-11-30", "us-east-1", "2026-11-22", *usd[:3], operations=mean_operations(orders, PRICES)
    )


BEFORE = figures(order(10, 60.0), order(400, 1_700.0), order(1, 25.0))


def test_what_costs_the_same_or_less_passes() -> None:
    """Less is no defect, and neither are four percent."""
    assert dearer(BEFORE, BEFORE) == []
    assert dearer(figures(order(10, 30.0), order(400, 900.0), order(1, 20.0)), BEFORE) == []
    assert dearer(figures(order(10, 62.0), order(400, 1_750.0), order(1, 26.0)), BEFORE) == []


def test_one_more_write_a_line_fails_and_is_named() -> None:
    """Mails cost more than all tables of a small order; a service is judged by itself as well."""
    found = dearer(figures(order(10, 70.0), order(400, 2_100.0), order(1, 26.0)), BEFORE)
    assert [line.split(":")[0] for line in found] == [
        "median order, DynamoDB",
        "p99 order, total",
        "p99 order, DynamoDB",
        "  grew",
    ]
    assert "inventory, ReserveStock: dynamodb.PutItem stock" in found[-1]
    assert "(+23%)" in found[-1]


def test_an_operation_that_is_new_is_named() -> None:
    """A second mail is a new cause."""
    second = Billed("saga", "OrderConfirmed", "ses.SendEmail", "ses_mail")
    more = [PlayedOrder(each.lines, {**each.taken, second: 1.0}) for each in (order(10, 60.0),) * 3]
    assert any("saga, OrderConfirmed: ses.SendEmail" in line for line in dearer(figures(*more), BEFORE))


def test_the_median_is_an_order_and_not_a_mix() -> None:
    """Its services add up to what one order has cost."""
    found = median_order([order(1, 1.0), order(1, 3.0), order(1, 100.0)], PRICES)
    assert found == pytest.approx({"DynamoDB": 3 * 0.625e-6, "SES": 1e-4})


def test_what_a_message_causes_is_a_line() -> None:
    """So many units, and so many more for each stock line; mails are known for each order, so left out."""
    found = units_per_message([order(lines, 5.0 + 4.0 * lines) for lines in (1, 7, 30)])
    assert found == {"OrderConfirmed": {}, "ReserveStock": {"dynamodb_write": (5.0, 4.0)}}


def test_the_committed_figures_are_of_the_prices_on_file() -> None:
    """Other prices are other figures: `make cost WRITE=--write` follows a change of the price file."""
    committed = msgspec.json.decode(COMMITTED.read_bytes(), type=Figures)
    assert committed.prices == prices_date()
    assert sum(committed.one_line.values()) < sum(committed.median.values()) < sum(committed.p99.values())


def test_the_guide_has_the_committed_figures() -> None:
    """Whoever reads docs/cost.md reads what the gate compares with."""
    committed = msgspec.json.decode(COMMITTED.read_bytes(), type=Figures)
    text = DOCUMENT.read_text(encoding="utf-8")
    assert documented(text, committed) == text
    assert f"**{sum(committed.median.values()) * 1e6:,.2f}**" in text
