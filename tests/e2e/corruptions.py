"""Ways in which a run can be wrong, planted into the output of a right one."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict
Rows = list[Row]


def lost_line(out: Path) -> None:
    rewrite(out / "orders.jsonl", lambda rows: confirmed(rows)["lines"].pop())


def double_charge(out: Path) -> None:
    def charge_again(rows: Rows) -> None:
        charge = next(row for row in rows if row["order_id"] == confirmed_id(out))
        rows.append(charge | {"idempotency_key": charge["idempotency_key"] + ":again"})

    rewrite(out / "ledger.jsonl", charge_again)


def off_by_a_penny(out: Path) -> None:
    def add_a_penny(rows: Rows) -> None:
        next(row for row in rows if row["order_id"] == confirmed_id(out))["amount_minor"] += 1

    rewrite(out / "ledger.jsonl", add_a_penny)


def missing_event(out: Path) -> None:
    rewrite_event(out, "StockReserved", lambda _: [])


def two_terminal_events(out: Path) -> None:
    def cancel_too(event: Row) -> Rows:
        cancelled = json.loads(event["data"]) | {"type": "OrderCancelled"}
        cancelled["data"] = {"order_id": event["order_id"], "customer": {}, "reason": "customer_request"}
        after = int(event["sequence_number"]) * 1_000 + event["subsequence_number"] + 1
        return [
            event,
            event
            | {
                "event_id": str(uuid.uuid4()),
                "event_type": "OrderCancelled",
                "sequence_number": str(after),
                "data": json.dumps(cancelled).encode(),
            },
        ]

    rewrite_event(out, "OrderConfirmed", cancel_too)


def wrong_reason(out: Path) -> None:
    def blame_the_customer(rows: Rows) -> None:
        next(row for row in rows if row["state"] == "CANCELLED")["state_reason"] = "customer_request"

    rewrite(out / "orders.jsonl", blame_the_customer)


def stock_off_by_one(out: Path) -> None:
    def sell_one(rows: Rows) -> None:
        rows[0]["available"] -= 1
        rows[0]["sold"] += 1

    rewrite(out / "stock.jsonl", sell_one)


def unreleased_reservation(out: Path) -> None:
    def keep_one(rows: Rows) -> None:
        rows[0]["available"] -= 1
        rows[0]["reserved"] += 1

    rewrite(out / "stock.jsonl", keep_one)


def dead_letter(out: Path) -> None:
    file = out / "summary.json"
    summary = json.loads(file.read_text())
    file.write_text(json.dumps(summary | {"dead_letters": 1}))


def customer_not_told(out: Path) -> None:
    rewrite(out / "notifications.jsonl", lambda rows: rows.remove(mail(rows)))


def customer_told_otherwise(out: Path) -> None:
    def tell_otherwise(rows: Rows) -> None:
        told = mail(rows)
        rows.append(told | {"Subject": told["Subject"].replace("confirmed", "cancelled")})

    rewrite(out / "notifications.jsonl", tell_otherwise)


def customer_told_twice(out: Path) -> None:
    rewrite(out / "notifications.jsonl", lambda rows: rows.append(mail(rows)))


ALL = (
    lost_line,
    double_charge,
    off_by_a_penny,
    missing_event,
    two_terminal_events,
    wrong_reason,
    stock_off_by_one,
    unreleased_reservation,
    dead_letter,
    customer_not_told,
    customer_told_otherwise,
    customer_told_twice,
)


def confirmed(rows: Rows) -> Row:
    return next(row for row in rows if row["state"] == "CONFIRMED")


def mail(rows: Rows) -> Row:
    return next(row for row in rows if row["channel"] == "email" and row["Subject"].endswith("confirmed"))


def confirmed_id(out: Path) -> str:
    rows = [json.loads(line) for line in (out / "orders.jsonl").read_text().splitlines()]
    return str(confirmed(rows)["order_id"])


def rewrite(file: Path, change: Callable[[Rows], object]) -> None:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    change(rows)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def rewrite_event(out: Path, event_type: str, change: Callable[[Row], Rows]) -> None:
    """Replace one confirmed order's event of a type, wherever in the archive it is."""
    order_id = confirmed_id(out)
    for file in sorted((out / "archive").rglob("*.parquet")):
        table = pq.read_table(file)
        rows: Rows = []
        found = False
        for row in table.to_pylist():
            if (row["order_id"], row["event_type"]) == (order_id, event_type):
                found = True
                rows += change(row)
            else:
                rows.append(row)
        if found:
            pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
