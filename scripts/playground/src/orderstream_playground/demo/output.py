"""Writes the results of a run as JSON lines, and enters them in the books."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import pyarrow.parquet as pq

from orderstream_playground.demo.books import add_rows
from orderstream_playground.demo.offers import OfferBook

Row = dict[str, Any]

_FILES: Final = ("orders.jsonl", "stock.jsonl", "ledger.jsonl", "notifications.jsonl", "summary.json")
_ARCHIVE: Final = "archive"


class _Line(msgspec.Struct):
    sku: str
    quantity: int
    service: bool = False


class _Content(msgspec.Struct):
    outcome: str | None = None
    lines: tuple[_Line, ...] = ()


class _Entered(msgspec.Struct):
    """What the books want to know of an archived event."""

    data: _Content


class Archive(Protocol):
    """The archive's bucket."""

    def __iter__(self) -> Iterator[str]:
        """All object keys."""

    def download(self, key: str, file: Path) -> None:
        """Copy one object into a file."""


class Output:
    """The folder of a run's output.

    Args:
        folder: Made if it is not there; what an earlier run left there is removed.
        database: The run's books, which are filled in as the files are written.
    """

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # A run that is interrupted must not leave the books of the one before it.
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / _ARCHIVE, ignore_errors=True)
        self._folder = folder
        self._database = database

    def write_orders(self, offers: OfferBook, endings: Iterable[Row]) -> None:
        """Write ``orders.jsonl``, a line for each invoice offered, in the file's order.

        Args:
            offers: What was offered.
            endings: Order status' rows: order_id, state, state_reason, total_minor, currency, ended_at.
        """
        columns = ("order_id", "state", "state_reason", "total_minor", "currency", "ended_at")
        add_rows(self._database, "ending", (tuple(row[column] for column in columns) for row in endings))
        query = f"select {', '.join(columns)} from ending where order_id = ?"  # noqa: S608 - constants above
        with closing(self._database.cursor()) as cursor:
            self._write_lines("orders.jsonl", (self._order_line(cursor, query, offer) for offer in offers))
        add_rows(
            self._database,
            "ordered",
            (
                (offer.order_id, line.sku, line.quantity)
                for offer in offers
                if offer.outcome == "accepted"
                for line in offer.lines
                if not line.is_service
            ),
        )

    @staticmethod
    def _order_line(cursor: sqlite3.Cursor, query: str, offer: Any) -> Row:
        accepted = offer.outcome == "accepted"
        ending = cursor.execute(query, (offer.order_id,)).fetchone() if accepted else None
        _, state, state_reason, total_minor, currency, ended_at = ending or (None,) * 6
        return {
            "order_id": offer.order_id,
            "invoice": offer.invoice,
            "outcome": offer.outcome,
            "reason": offer.reason,
            "detail": offer.detail,
            "state": state,
            "state_reason": state_reason,
            "total_minor": total_minor,
            "currency": currency,
            "lines": [
                {"sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
                for line in offer.lines
            ],
            "accepted_at": offer.accepted_at,
            "ended_at": ended_at,
        }

    def write_stock(self, levels: Iterable[Row]) -> None:
        """Write ``stock.jsonl``: sku, initial, available, reserved, sold."""
        self._write_and_enter(
            "stock.jsonl", levels, "stock", ("sku", "initial", "available", "reserved", "sold")
        )

    def write_ledger(self, entries: Iterable[Row]) -> None:
        """Write ``ledger.jsonl``: the provider's own entries."""
        self._write_and_enter("ledger.jsonl", entries, "entry", ("order_id", "kind", "amount_minor"))

    def write_notifications(self, mails: Iterable[Row], alerts: Iterable[Row]) -> tuple[int, int]:
        """Write ``notifications.jsonl``: the customers' mails, then the operators' alerts; count both."""
        count: Counter[str] = Counter()

        def counted() -> Iterator[Row]:
            for row in chain(mails, alerts):
                count[row["channel"]] += 1
                yield row

        self._write_lines("notifications.jsonl", counted())
        return count["email"], count["sns"]

    def write_archive(self, archive: Archive) -> None:
        """Copy the archive's objects as they are into ``archive/`` and enter their events.

        An order that was placed outside this run is entered with its lines, for its units have
        left the same stock.
        """
        for key in archive:
            file = self._folder / _ARCHIVE / key
            file.parent.mkdir(parents=True, exist_ok=True)
            archive.download(key, file)
            for row in pq.read_table(
                file, columns=["event_id", "order_id", "event_type", "data"]
            ).to_pylist():
                self._enter_event(**row)

    def _enter_event(
        self, *, event_id: str | None, order_id: str | None, event_type: str | None, data: bytes
    ) -> None:
        if event_id is None:
            return  # bytes that are no event: archived as they are, and none of the books' business
        content = _Content()
        if event_type in {"OrderPlaced", "CustomerNotified"}:
            try:
                content = msgspec.json.decode(data, type=_Entered).data
            except msgspec.DecodeError:
                return  # archived, and a dead letter of the application that should have acted on it
        entered = add_rows(self._database, "archived", [(event_id, order_id, event_type, content.outcome)])
        offered = self._database.execute("select 1 from offer where order_id = ?", (order_id,)).fetchone()
        if entered and not offered:
            lines = [line for line in content.lines if not line.service]
            add_rows(self._database, "ordered", ((order_id, line.sku, line.quantity) for line in lines))

    def write_summary(self, summary: Row) -> None:
        """Write ``summary.json``."""
        (self._folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")

    def _write_and_enter(self, name: str, rows: Iterable[Row], table: str, columns: tuple[str, ...]) -> None:
        def entered() -> Iterator[Row]:
            for row in rows:
                add_rows(self._database, table, [tuple(row[column] for column in columns)])
                yield row

        self._write_lines(name, entered())

    def _write_lines(self, name: str, rows: Iterable[Row]) -> int:
        count = 0
        with (self._folder / name).open("wb") as file:
            for row in rows:
                file.write(msgspec.json.encode(row) + b"\n")
                count += 1
        return count
