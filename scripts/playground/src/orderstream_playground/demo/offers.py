"""The book of offers: every invoice that was offered and what the API said, on disk and not in memory."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from orderstream_playground.demo.invoices import Invoice, InvoiceLine

SCHEMA: Final = """
create table seen (number text primary key) without rowid;
create table stocked (sku text primary key) without rowid;
create table offer (number integer primary key, order_id text, outcome text not null, content blob not null);
create index offer_order on offer (order_id);
"""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice: its offer and the response.

    Attributes:
        order_id: None only without an invoice number.
        invoice: Its number.
        outcome: Whether it became an order.
        reason: The code of a rejection.
        detail: A rejection in words.
        lines: What it says, as far as it could be read.
        accepted_at: When the API's 202 came (UTC).
    """

    order_id: str | None
    invoice: str
    outcome: Literal["accepted", "rejected"]
    reason: str | None = None
    detail: str | None = None
    lines: tuple[InvoiceLine, ...]
    accepted_at: dt.datetime | None = None


class OfferBook:
    """Keeps offers, to be read in the order of the file. Used by one thread.

    Args:
        database: The run's book, with the tables of ``SCHEMA``.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def first_time(self, number: str) -> bool:
        """True the first time that an invoice number is asked for."""
        return self._database.execute("insert or ignore into seen values (?)", (number,)).rowcount == 1

    def new_skus(self, invoice: Invoice) -> list[str]:
        """The SKUs of an invoice that no earlier one had, service codes left out."""
        return [
            line.sku
            for line in invoice.lines
            if not line.is_service
            and self._database.execute("insert or ignore into stocked values (?)", (line.sku,)).rowcount == 1
        ]

    def add(self, number: int, offer: Offer) -> None:
        """Write an offer down.

        Args:
            number: Its index in the file, from 0; responses may come in another order.
            offer: The offer.
        """
        self._database.execute(
            "insert into offer values (?, ?, ?, ?)",
            (number, offer.order_id, offer.outcome, msgspec.json.encode(offer)),
        )

    def __iter__(self) -> Iterator[Offer]:
        """All offers, in the file's order."""
        for (content,) in self._database.execute("select content from offer order by number"):
            yield msgspec.json.decode(content, type=Offer)
