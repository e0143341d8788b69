"""What an operator does to stock, and what is said of it."""

import json

import pytest
from click.testing import CliRunner, Result

from fakes.operating import MemoryResources
from orderstream_consumer.store import Add
from orderstream_orders.contracts import StockLine
from orderstream_workers.cli.goods.stock import stock
from orderstream_workers.services.inventory import CorrectionRefusedError, UnknownSkuError, seed_stock
from orderstream_workers.services.inventory.domain import Movement
from orderstream_workers.services.inventory.stock import movements

SKU = "85123A"
WHY = ("--reason", "delivery note 4711", "--operator", "ann")


def run(resources: MemoryResources, *arguments: str) -> Result:
    return CliRunner().invoke(stock, arguments, obj=resources)


def stocked(units: int, reserved: int) -> MemoryResources:
    resources = MemoryResources()
    seed_stock(resources.store, SKU, units)
    resources.store.transact(movements(Movement.HOLD, [StockLine(sku=SKU, quantity=reserved)]))
    return resources


def test_what_there_is() -> None:
    """In units, on hand first: what a person would count."""
    resources = stocked(100, 4)
    assert run(resources, "show", SKU).output.splitlines() == [
        "SKU     ON HAND  AVAILABLE  RESERVED  SOLD  RECEIVED",
        "85123A  100      96         4         0     100",
    ]
    shown = json.loads(run(resources, "show", SKU, "--json").output)
    assert (shown["on_hand"], shown["available"], shown["balanced"]) == (100, 96, True)
    assert isinstance(run(resources, "show", "none").exception, UnknownSkuError)


def test_numbers_that_do_not_add_up_are_an_error() -> None:
    """Somebody has written past the services: shown, and exit status 1."""
    resources = stocked(100, 4)
    resources.store.transact([Add("stock", SKU, {"available": 1}, {})])
    shown = run(resources, "show", SKU)
    assert (shown.exit_code, "does not balance" in str(shown.exception)) == (1, True)
    assert "97" in shown.output


def test_goods_are_received_once_under_their_key() -> None:
    """The key of a call is shown before it, and a repetition under it says that it changed nothing."""
    resources = stocked(100, 4)
    done = run(resources, "receive", SKU, "20", *WHY)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "85123A: 20 received",
        "SKU     ON HAND  AVAILABLE  RESERVED  SOLD  RECEIVED",
        "85123A  120      116        4         0     120",
    ]
    key = done.stderr.split()[-1]
    again = run(resources, "receive", SKU, "20", *WHY, "--key", key)
    assert "in an earlier call with this key; nothing was changed now" in again.stdout
    assert "116" in again.stdout
    data = json.loads(run(resources, "receive", SKU, "20", *WHY, "--key", key, "--json").stdout)
    assert (data["units"], data["repeated"], data["key"], data["level"]["on_hand"]) == (20, True, key, 120)


def test_a_count_is_corrected_by_a_difference_or_to_what_was_counted() -> None:
    """Signs are shown; a count that was right changes nothing."""
    resources = stocked(100, 4)
    assert "85123A: corrected by -3" in run(resources, "correct", SKU, "--by", "-3", *WHY).stdout
    assert "85123A: corrected by +1" in run(resources, "correct", SKU, "--counted", "98", *WHY).stdout
    assert "the books have what was counted" in run(resources, "correct", SKU, "--counted", "98", *WHY).stdout


def test_a_correction_below_what_is_reserved_is_refused() -> None:
    """One sentence with the figures, exit status 1."""
    refused = run(stocked(10, 5), "correct", SKU, "--counted", "4", *WHY)
    assert refused.exit_code == 1
    assert isinstance(refused.exception, CorrectionRefusedError)


@pytest.mark.parametrize(
    "words",
    [
        ("receive", SKU, "0", *WHY),
        ("receive", SKU, "5"),
        ("receive", "85123a", "5", *WHY),
        ("correct", SKU, *WHY),
        ("correct", SKU, "--by", "1", "--counted", "1", *WHY),
        ("correct", SKU, "--by", "0", *WHY),
        ("correct", SKU, "--by", "1", "--reason", " "),
    ],
)
def test_mistakes_of_the_command_line(words: tuple[str, ...]) -> None:
    """Exit status 2, and nothing is asked of the store."""
    assert run(MemoryResources(), *words).exit_code == 2
