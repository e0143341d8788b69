"""Recomputes the books of a run from the invoices and the run's own output, and trusts nothing else.

It uses the standard library and a Parquet reader and none of the project's code, so that it cannot share a
mistake with what it judges.

    python tests/e2e/reconcile.py --orders FILE --out DIR [--limit N] [--seed S] [--decline-percent P]
        [--dead-letters N] [--mails-once]

Exit status 0 if everything balances, 1 with a line for each difference.
"""

import argparse
import csv
import datetime as dt
import gzip
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from itertools import groupby, islice
from pathlib import Path

import pyarrow.parquet as pq

TERMINAL = {"OrderConfirmed": "CONFIRMED", "OrderCancelled": "CANCELLED"}

# A cancellation's reason, and the event that must stand in the archive as its cause.
CAUSES = {
    "out_of_stock": ("StockRejected", "out_of_stock"),
    "unknown_sku": ("StockRejected", "unknown_sku"),
    "card_declined": ("PaymentDeclined", "card_declined"),
    "expired": ("PaymentDeclined", "expired"),
    "destination_not_served": ("ShipmentRefused", "destination_not_served"),
    "customer_request": ("OrderCancellationRequested", None),
    "step_overdue": ("StepOverdue", None),
}


@dataclass
class Expected:
    """What the file says an invoice must come to."""

    invoice: str
    reason: str | None
    lines: list[dict[str, object]]
    total_minor: int | None = None
    stock: Counter = field(default_factory=Counter)
    customer: str = ""


@dataclass
class Archived:
    """What the archive holds of one order: the first occurrence of each event id, in stream order."""

    events: list[tuple[str, dict]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def types(self) -> list[str]:
        return [kind for kind, _ in self.events]


def expected_invoices(path: Path, limit: int | None) -> Iterator[Expected]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as text:
        seen: set[str] = set()
        groups = groupby(csv.DictReader(text), key=lambda row: row["InvoiceNo"].strip())
        for number, rows in islice(groups, limit):
            yield expected_invoice(number, list(rows), seen)


def expected_invoice(number: str, rows: list[dict[str, str]], seen: set[str]) -> Expected:
    again = number in seen
    seen.add(number)
    lines, parsed, malformed = [], [], not number
    for row in rows:
        sku, quantity, price = (row[column].strip() for column in ("StockCode", "Quantity", "UnitPrice"))
        try:
            dt.datetime.fromisoformat(row["InvoiceDate"].strip())
            line = (sku.upper(), int(quantity), Decimal(price))
        except (ValueError, InvalidOperation):
            malformed = True
            continue
        if not sku or not line[2].is_finite():
            malformed = True
            continue
        parsed.append(line)
        lines.append({"sku": sku.upper(), "quantity": int(quantity), "unit_price": price})
    if malformed:
        return Expected(number, "malformed", lines)
    total = sum(penny(quantity * price) for _, quantity, price in parsed)
    for reason, applies in (
        ("duplicate_invoice", again),
        ("credit_note", number.startswith("C")),
        ("non_positive_quantity", any(quantity <= 0 for _, quantity, _ in parsed)),
        ("negative_price", any(price < 0 for _, _, price in parsed)),
        ("nothing_to_pay", total == 0),
    ):
        if applies:
            return Expected(number, reason, lines)
    stock: Counter = Counter()
    for sku, quantity, _ in parsed:
        if len(sku) >= 5 and all(character in "0123456789" for character in sku[:5]):
            stock[sku] += quantity
    return Expected(number, None, lines, total, stock, rows[0]["CustomerID"].strip())


def penny(amount: Decimal) -> int:
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_EVEN))


def is_declined(seed: int, percent: int, order_id: str) -> bool:
    return int(hashlib.sha256(f"{seed}/{order_id}".encode()).hexdigest()[:8], 16) % 100 < percent


def read_lines(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as text:
        for line in text:
            yield json.loads(line)


class Books:
    """Holds a run against what the file demands, and collects the differences."""

    def __init__(self, out: Path, seed: int, decline_percent: int) -> None:
        self.out, self.seed, self.decline_percent = out, seed, decline_percent
        self.differences: list[str] = []
        self.sold: Counter = Counter()
        self.wanted: Counter = Counter()
        self.accepted: dict[str, tuple[Expected, dict]] = {}
        self.added: dict[str, tuple[str, int]] = {}
        """SKU and units of each adjustment that added some, by its event's id."""
        self.stock = {row["sku"]: row for row in read_lines(out / "stock.jsonl")}

    def check_mails(self, *, once: bool) -> None:
        """The customer hears how an order ended and nothing else; guests have no address."""
        mails: defaultdict[str, list[str]] = defaultdict(list)
        for row in read_lines(self.out / "notifications.jsonl"):
            if row["channel"] == "email":
                order_id, _, said = row["Subject"].removeprefix("Your order ").partition(" is ")
                mails[order_id].append(said.upper())
        for order_id, (invoice, row) in self.accepted.items():
            said = mails[order_id]
            if set(said) != ({row["state"]} if invoice.customer else set()):
                self.differ(f"mails: {order_id} is {row['state']}, and its customer was told {said}")
            if once and len(said) > 1:
                self.differ(f"mails: the customer of {order_id} was told {len(said)} times")

    def check_dead_letters(self, planted: int) -> None:
        found = json.loads((self.out / "summary.json").read_text())["dead_letters"]
        if found != planted:
            self.differ(f"dead letters: {found}, of which {planted} were planted")

    def differ(self, what: str) -> None:
        self.differences.append(what)

    def check(self, path: Path, limit: int | None) -> None:
        self.check_orders(path, limit)
        self.check_stock()
        self.check_ledger()
        self.check_archive()

    def check_orders(self, path: Path, limit: int | None) -> None:
        rows = list(read_lines(self.out / "orders.jsonl"))
        invoices = list(expected_invoices(path, limit))
        if len(rows) != len(invoices):
            self.differ(f"orders: {len(rows)} offered, the file has {len(invoices)}")
        for row, invoice in zip(rows, invoices, strict=False):
            self.check_order(row, invoice)

    def check_order(self, row: dict, invoice: Expected) -> None:
        name = f"order of invoice {invoice.invoice!r}"
        if row["invoice"] != invoice.invoice:
            self.differ(f"{name}: the run says {row['invoice']!r}")
            return
        outcome = "rejected" if invoice.reason else "accepted"
        if (row["outcome"], row["reason"]) != (outcome, invoice.reason):
            self.differ(f"{name}: {row['outcome']} {row['reason']}, expected {outcome} {invoice.reason}")
            return
        if bool(row["order_id"]) != bool(invoice.invoice):
            self.differ(f"{name}: order id {row['order_id']!r}")
        if row["lines"] != invoice.lines:
            self.differ(f"{name}: its lines are not the file's")
        if invoice.reason is None:
            self.check_accepted(name, row, invoice)
        elif row["state"] is not None:
            self.differ(f"{name}: rejected, and yet {row['state']}")

    def check_accepted(self, name: str, row: dict, invoice: Expected) -> None:
        if (row["total_minor"], row["currency"]) != (invoice.total_minor, "GBP"):
            self.differ(f"{name}: {row['total_minor']} {row['currency']}, expected {invoice.total_minor} GBP")
        if row["state"] not in TERMINAL.values():
            self.differ(f"{name}: ended in {row['state']!r}")
        if not row["accepted_at"] or not row["ended_at"]:
            self.differ(f"{name}: accepted at {row['accepted_at']!r}, ended at {row['ended_at']!r}")
        if row["order_id"] in self.accepted:
            self.differ(f"{name}: shares its order id with another")
        self.accepted[row["order_id"]] = (invoice, row)
        self.wanted += invoice.stock
        if row["state"] == "CONFIRMED":
            self.sold += invoice.stock

    def check_stock(self) -> None:
        for sku, row in self.stock.items():
            if row["sold"] != self.sold[sku]:
                self.differ(f"stock {sku}: {row['sold']} sold, the confirmed orders have {self.sold[sku]}")
            if row["reserved"] != 0:
                self.differ(f"stock {sku}: {row['reserved']} still reserved")
            if row["available"] != row["initial"] - row["sold"] or row["available"] < 0:
                self.differ(
                    f"stock {sku}: {row['available']} available of {row['initial']}, {row['sold']} sold"
                )
        for sku in self.sold.keys() - self.stock.keys():
            self.differ(f"stock {sku}: sold, and not in stock")

    def check_ledger(self) -> None:
        entries: defaultdict[str, dict[str, list[int]]] = defaultdict(lambda: {"charge": [], "refund": []})
        keys: Counter = Counter()
        for entry in read_lines(self.out / "ledger.jsonl"):
            entries[entry["order_id"]][entry["kind"]].append(entry["amount_minor"])
            keys[entry["idempotency_key"]] += 1
            if entry["currency"] != "GBP":
                self.differ(f"ledger: {entry['order_id']} in {entry['currency']}")
        for key, count in keys.items():
            if count > 1:
                self.differ(f"ledger: {key} stands {count} times")
        for order_id in entries.keys() - self.accepted.keys():
            self.differ(f"ledger: {order_id} was never accepted")
        for order_id, (invoice, row) in self.accepted.items():
            charges, refunds = entries[order_id]["charge"], entries[order_id]["refund"]
            declined = is_declined(self.seed, self.decline_percent, order_id)
            if declined and (charges or row["state"] == "CONFIRMED"):
                self.differ(f"ledger: {order_id} should have been declined, has {charges}, is {row['state']}")
            if row["state"] == "CONFIRMED" and (charges, refunds) != ([invoice.total_minor], []):
                self.differ(
                    f"ledger: {order_id} is confirmed at {invoice.total_minor}, has {charges}, back {refunds}"
                )
            if row["state"] == "CANCELLED" and (len(charges) > 1 or charges != refunds):
                self.differ(f"ledger: {order_id} is cancelled, has {charges} and back {refunds}")

    def check_archive(self) -> None:
        orders = self.read_archive()
        for order_id in orders.keys() - self.accepted.keys():
            if "OrderPlaced" in orders[order_id].types():
                self.differ(f"archive: {order_id} was placed, and never accepted")
        for order_id, (invoice, row) in self.accepted.items():
            self.check_story(order_id, invoice, row, orders.get(order_id, Archived()))

    def check_story(self, order_id: str, invoice: Expected, row: dict, archived: Archived) -> None:
        types = archived.types()
        ends = [kind for kind in types if kind in TERMINAL]
        if types[:1] != ["OrderPlaced"] or types.count("OrderPlaced") != 1:
            self.differ(f"archive: {order_id} begins with {types[:1]}, not with its one OrderPlaced")
            return
        placed = archived.events[0][1]
        lines = [{key: line[key] for key in ("sku", "quantity", "unit_price")} for line in placed["lines"]]
        if lines != invoice.lines or placed["total_minor"] != invoice.total_minor:
            self.differ(f"archive: {order_id} was placed with other lines or another total than the file has")
        if len(ends) != 1 or TERMINAL[ends[0]] != row["state"]:
            self.differ(f"archive: {order_id} is {row['state']} and ends in {ends}")
            return
        if ends == ["OrderConfirmed"]:
            missing = {"StockReserved", "PaymentCaptured", "OrderShipped", "StockSold"} - set(types)
            if missing:
                self.differ(f"archive: {order_id} is confirmed without {sorted(missing)}")
            return
        self.check_cancellation(order_id, row, archived)

    def check_cancellation(self, order_id: str, row: dict, archived: Archived) -> None:
        reason = next(data["reason"] for kind, data in archived.events if kind == "OrderCancelled")
        if reason != row["state_reason"]:
            self.differ(f"archive: {order_id} was cancelled for {reason}, the run says {row['state_reason']}")
        cause_type, cause_reason = CAUSES.get(reason, ("?", None))
        causes = [
            data
            for kind, data in archived.events
            if kind == cause_type and (cause_reason is None or data["reason"] == cause_reason)
        ]
        if not causes:
            self.differ(f"archive: {order_id} was cancelled for {reason}, and nothing in it says so")
        elif reason == "out_of_stock":
            sku = causes[0]["sku"]
            # What operators have added may have come after it was refused.
            added = sum(units for name, units in self.added.values() if name == sku)
            if self.wanted[sku] <= self.stock[sku]["initial"] - added:
                self.differ(
                    f"archive: {order_id} found {sku} out of stock, of which there was enough for all"
                )
        if reason == "card_declined" and not is_declined(self.seed, self.decline_percent, order_id):
            self.differ(f"archive: {order_id} was declined, and should not have been")

    def note_adjustment(self, record: dict) -> None:
        if record["event_type"] in {"StockReceived", "StockCorrected"}:
            data = json.loads(record["data"])["data"]
            if data["units"] > 0:
                self.added[record["event_id"]] = data["sku"], data["units"]

    def read_archive(self) -> dict[str, Archived]:
        orders: defaultdict[str, Archived] = defaultdict(Archived)
        shards: defaultdict[str, list[tuple[int, int, Path]]] = defaultdict(list)
        for file in (self.out / "archive").rglob("*.parquet"):
            table = pq.read_table(file, columns=["shard_id", "sequence_number", "subsequence_number"])
            first = table.slice(0, 1).to_pylist()[0]
            shards[first["shard_id"]].append(
                (int(first["sequence_number"]), first["subsequence_number"], file)
            )
        # A key's records in a child shard follow those in its parent, whose number is smaller.
        for shard in sorted(shards):
            last = (-1, -1)
            for _, _, file in sorted(shards[shard]):
                for record in pq.read_table(file).to_pylist():
                    position = (int(record["sequence_number"]), record["subsequence_number"])
                    if position <= last:
                        self.differ(f"archive: {shard} holds {position} twice or out of order")
                    last = position
                    remember(orders, record)
                    self.note_adjustment(record)
        return orders


def remember(orders: dict[str, Archived], record: dict) -> None:
    if record["order_id"] is None:
        return
    order = orders[record["order_id"]]
    if record["event_id"] not in order.ids:
        order.ids.add(record["event_id"])
        order.events.append((record["event_type"], json.loads(record["data"])["data"]))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Recompute the books of a run.")
    parser.add_argument("--orders", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--decline-percent", type=int, default=5)
    parser.add_argument("--dead-letters", type=int, default=0, help="how many were planted")
    parser.add_argument("--mails-once", action="store_true", help="nothing crashed: no mail may repeat")
    given = parser.parse_args(arguments)
    books = Books(given.out, given.seed, given.decline_percent)
    books.check(given.orders, given.limit)
    books.check_mails(once=given.mails_once)
    books.check_dead_letters(given.dead_letters)
    for difference in books.differences:
        print(difference)
    print(f"{len(books.differences)} differences" if books.differences else "the books balance")
    return 1 if books.differences else 0


if __name__ == "__main__":
    sys.exit(main())
