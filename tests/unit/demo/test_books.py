"""The books balance for a right run, and each kind of wrong one shows in its own line."""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orderstream_playground.demo.books import Check, open_books, reconcile
from orderstream_playground.demo.invoices import InvoiceLine
from orderstream_playground.demo.offers import Offer, OfferBook
from orderstream_playground.demo.output import Output

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DATA = {
    "OrderPlaced": (
        b'{"data": {"lines": [{"sku": "85123A", "quantity": 2},'
        b' {"sku": "POST", "quantity": 1, "service": true}]}}'
    ),
    "OrderConfirmed": b"{}",
    "OrderCancelled": b"{}",
    "CustomerNotified": b'{"data": {"outcome": "sent"}}',
}


class FolderArchive:
    """An archive whose objects are given as rows of (event id, order id, type)."""

    def __init__(self, rows: list[tuple[str, str, str]]) -> None:
        self._table = pa.Table.from_pylist(
            [
                {"event_id": event, "order_id": order, "event_type": kind, "data": DATA[kind]}
                for event, order, kind in rows
            ]
        )

    def __iter__(self) -> Iterator[str]:
        return iter(["date=2026-01-01/shard=0/from=1.parquet"])

    def download(self, key: str, file: Path) -> None:
        pq.write_table(self._table, file)


def offer(order_id: str, outcome: str = "accepted") -> Offer:
    return Offer(
        order_id=order_id,
        invoice=f"invoice-{order_id}",
        outcome=outcome,
        lines=(InvoiceLine("85123A", 2, "1.00", None), InvoiceLine("POST", 1, "3.00", None)),
        accepted_at=NOW,
    )


def ending(order_id: str, state: str) -> dict[str, object]:
    return {
        "order_id": order_id,
        "state": state,
        "state_reason": None,
        "total_minor": 500,
        "currency": "GBP",
        "ended_at": NOW.isoformat(),
    }


def entry(order_id: str, kind: str, amount: int = 500) -> dict[str, object]:
    return {"order_id": order_id, "kind": kind, "amount_minor": amount}


def right_run() -> dict[str, list]:
    """Order a is confirmed, order b cancelled after it was charged, invoice c was rejected."""
    return {
        "endings": [ending("a", "CONFIRMED"), ending("b", "CANCELLED")],
        "stock": [{"sku": "85123A", "initial": 10, "available": 8, "reserved": 0, "sold": 2}],
        "ledger": [entry("a", "charge"), entry("b", "charge"), entry("b", "refund")],
        "archive": [
            ("1", "a", "OrderPlaced"),
            ("2", "a", "OrderConfirmed"),
            ("3", "b", "OrderPlaced"),
            ("4", "b", "OrderCancelled"),
            ("4", "b", "OrderCancelled"),
            ("5", "a", "CustomerNotified"),
            ("6", "b", "CustomerNotified"),
        ],
    }


def books_of(folder: Path, run: dict[str, list], dead_letters: int = 0) -> list[Check]:
    with open_books(folder / "books.sqlite") as database:
        fill(folder, database, run)
        return reconcile(database, dead_letters)


def fill(folder: Path, database: sqlite3.Connection, run: dict[str, list]) -> None:
    offers = OfferBook(database)
    for number, one in enumerate([offer("a"), offer("b"), offer("c", "rejected")]):
        offers.add(number, one)
    output = Output(folder / "out", database)
    output.write_orders(offers, run["endings"])
    output.write_stock(run["stock"])
    output.write_ledger(run["ledger"])
    output.write_archive(FolderArchive(run["archive"]))


def test_a_right_run_balances(tmp_path: Path) -> None:
    """Every check of a right run balances; a duplicate in the archive counts once."""
    assert [check for check in books_of(tmp_path, right_run()) if not check.balances] == []


@pytest.mark.parametrize(
    ("part", "row", "wrong", "shows_in"),
    [
        ("endings", 0, ending("a", "PLACED"), "accepted orders in one terminal state"),
        (
            "stock",
            0,
            {"sku": "85123A", "initial": 10, "available": 7, "reserved": 0, "sold": 3},
            "units sold",
        ),
        (
            "stock",
            0,
            {"sku": "85123A", "initial": 10, "available": 7, "reserved": 0, "sold": 2},
            "SKUs whose available",
        ),
        (
            "stock",
            0,
            {"sku": "85123A", "initial": 10, "available": 8, "reserved": 1, "sold": 2},
            "still reserved",
        ),
        ("ledger", 0, entry("a", "charge", 499), "charged once, their total"),
        ("ledger", 2, entry("b", "refund", 499), "net to zero"),
        ("archive", 1, ("1", "a", "OrderPlaced"), "in the archive"),
        ("archive", 3, ("9", "a", "OrderCancelled"), "in the archive"),
    ],
)
def test_a_wrong_run_shows(tmp_path: Path, part: str, row: int, wrong: object, shows_in: str) -> None:
    """A difference in any part is found, in the line that is about it."""
    run = right_run()
    run[part][row] = wrong
    differing = [check.what for check in books_of(tmp_path, run) if not check.balances]
    assert any(shows_in in what for what in differing)


def test_a_second_charge_shows(tmp_path: Path) -> None:
    """A confirmed order that was charged twice and given one back is still wrong."""
    run = right_run()
    run["ledger"] += [entry("a", "charge"), entry("a", "refund")]
    differing = [check.what for check in books_of(tmp_path, run) if not check.balances]
    assert differing == ["confirmed orders charged once, their total"]


def test_orders_are_written_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A line for each invoice offered, whenever its response came; a rejected one has no state."""
    with open_books(tmp_path / "books.sqlite") as database:
        fill(tmp_path, database, right_run())
    lines = [json.loads(line) for line in (tmp_path / "out" / "orders.jsonl").read_text().splitlines()]
    assert [(line["order_id"], line["state"]) for line in lines] == [
        ("a", "CONFIRMED"),
        ("b", "CANCELLED"),
        ("c", None),
    ]
    assert lines[0]["lines"][1] == {"sku": "POST", "quantity": 1, "unit_price": "3.00"}


def test_orders_of_others_are_in_the_same_books(tmp_path: Path) -> None:
    """An order that somebody else placed takes from the same stock, and is charged by the same provider."""
    run = right_run()
    run["endings"].append(ending("stranger", "CONFIRMED"))
    run["stock"][0] |= {"available": 6, "sold": 4}
    run["ledger"].append(entry("stranger", "charge"))
    run["archive"] += [("7", "stranger", "OrderPlaced"), ("8", "stranger", "OrderConfirmed")]
    assert [check for check in books_of(tmp_path, run) if not check.balances] == []
