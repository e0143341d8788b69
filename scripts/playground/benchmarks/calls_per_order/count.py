"""Counts the AWS calls of one order: the demo, played into an environment whose processes note every request.

First the environment is left alone, which gives the calls a second that are made whether orders come or not;
then the orders are played. What an order adds is what was called meanwhile, less the idle pace. Idle calls
that are made for each shard are kept apart from those that each process makes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from orderstream.aws.billing import item_bytes
from orderstream_consumer.engines.ownership import ENGINES
from orderstream_consumer.store import TableSpec
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_workers.cost.estimate import units_per_message
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import ORDERS

ROOT = Path(__file__).parents[4]
OUT = ROOT / "scripts" / "sizing" / "src" / "shard_sizing" / "data" / "calls-per-order.json"
WARM_UP, IDLE = 10.0, 20.0  # seconds
SHARDS = 4
STOCK = "stock"
NOT_OURS = frozenset({"kinesis", "aws", "payments-api", "stock-bridge"})
PREFIX = "orderstream-"
READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
LOCAL_FAILOVER = Layout(Path(), EnvironmentOptions()).settings.failover_seconds
SCALES = ("idle_per_process", "idle_per_shard")
PIPELINE = topology(Settings())
OWN_TABLES = frozenset(spec.name for spec in PIPELINE.of(TableSpec))
READERS = len(
    PIPELINE.readers(ORDERS)
)  # applications that read the order stream; one more reads the captured changes of the stock


def orderstream(*arguments: str, **environment: str) -> None:
    """Run the command."""
    command = [sys.executable, "-m", "orderstream_workers.cli.main", *arguments]
    subprocess.run(command, check=True, env=os.environ | environment, cwd=ROOT)


@dataclass(frozen=True)
class Note:
    """One line of the notes: a request that was sent, what it is billed, or what DynamoDB states of it."""

    kind: str
    operation: str
    entries: int
    size: int
    amounts: dict[str, float]

    @property
    def per_shard(self) -> bool:
        """Whether the request is made for a shard: to poll it, or to renew its lease in a lease table."""
        leases = self.operation == "dynamodb.UpdateItem" and self.tables and not OWN_TABLES & self.tables
        return bool(leases) or self.operation.startswith("kinesis.")

    @property
    def tables(self) -> set[str]:
        """The DynamoDB tables that it uses, without the environment's prefix."""
        return {name.partition(" ")[2] for name in self.amounts} - {""}

    @property
    def pace(self) -> float:
        """How often a deployment makes it, over how often a local environment does.

        Leases and the ownership of applications are renewed three times in a failover time, which is shorter
        locally. Lease tables are not among those that the topology declares.
        """
        renews = self.tables and not (self.tables & OWN_TABLES) - {ENGINES.name}
        return LOCAL_FAILOVER / Settings().failover_seconds if renews else 1.0


def notes_of(folder: Path, since: float, until: float) -> Iterator[Note]:
    """Yield the notes between two times."""
    for file in folder.glob("*.tsv"):
        for line in file.read_text(encoding="utf-8").splitlines():
            kind, at, service, operation, entries, size, amounts = line.split("\t")
            if since <= float(at) < until:
                named = {name.replace(PREFIX, ""): each for name, each in json.loads(amounts).items()}
                yield Note(kind, f"{service}.{operation}", int(entries), int(size), named)


def counted(folder: Path, since: float, until: float) -> dict[str, Counter[str]]:
    """Return calls, entries and bytes by operation, units by name and table, idle calls by their scale."""
    names = ("calls", "entries", "bytes", "units", "write_units", "read_units", "stated")
    sums: dict[str, Counter[str]] = {name: Counter() for name in (*names, *SCALES)}
    for note in notes_of(folder, since, until):
        if note.kind == "sent":
            sums["calls"][note.operation] += 1
            sums["entries"][note.operation] += note.entries
            sums["bytes"][note.operation] += note.size
            if not note.operation.startswith("dynamodb."):
                sums[SCALES[note.per_shard]][note.operation] += 1
        elif note.kind == "stated":
            kind = "dynamodb_read" if note.operation.removeprefix("dynamodb.") in READS else "dynamodb_write"
            sums["stated"][kind] += sum(note.amounts.values())
        else:
            if note.operation.startswith("dynamodb."):  # whose tables say which scale it is
                sums[SCALES[note.per_shard]][note.operation] += note.pace
            for name, amount in note.amounts.items():
                unit, _, table = name.partition(" ")
                sums["units"][unit] += amount
                if table:
                    sums["write_units" if unit == "dynamodb_write" else "read_units"][table] += amount
    return sums


def stored_bytes(environment: dict[str, str]) -> int:
    """Return the bytes that all tables hold."""
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    pages = (
        page
        for table in dynamodb.list_tables()["TableNames"]
        for page in dynamodb.get_paginator("scan").paginate(TableName=table)
    )
    return sum(item_bytes(item) for page in pages for item in page["Items"])


def logged_bytes(home: Path, state: dict[str, Any]) -> int:
    """Return the bytes that the pipeline's own processes have logged."""
    ours = {each["name"] for each in state["processes"]} - NOT_OURS
    return sum(file.stat().st_size for file in (home / "logs").glob("*.log") if file.stem in ours)


def units_per_line() -> dict[str, float]:
    """Return what each further line of a confirmed order takes, as ``make cost`` has counted it."""
    confirmed = ("OrderPlaced", "inventory.ReserveStock", "StockReserved", "payments.CapturePayment")
    confirmed += ("PaymentCaptured", "shipping.ShipOrder", "OrderShipped", "OrderConfirmed", "StockSold")
    sums: Counter[str] = Counter()
    for message in confirmed:
        for unit, (_, per_line) in units_per_message().messages.get(message, {}).items():
            sums[unit] += per_line
    return {name: round(each, 4) for name, each in sorted(sums.items()) if abs(each) >= 0.0005}


def state_of(home: Path) -> dict[str, Any]:
    """Return what is written down of the environment."""
    state: dict[str, Any] = json.loads((home / "state.json").read_bytes())
    return state


def main() -> None:
    """Play, count and write the file."""
    limit, base_port = sys.argv[1], sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="calls-per-order-") as scratch:
        notes, home, out = (Path(scratch) / name for name in ("notes", "home", "out"))
        notes.mkdir()
        where = ("--home", str(home), "--base-port", base_port, "--shards", str(SHARDS))
        path = f"{Path(__file__).parent / 'hook'}:{os.environ.get('PYTHONPATH', '')}"
        orderstream("local", "up", *where, PYTHONPATH=path, COUNT_CALLS_INTO=str(notes))
        try:
            # The bridge does what DynamoDB does by itself; its calls are nobody's bill.
            state = state_of(home)
            bridge = next(each["pid"] for each in state["processes"] if each["name"] == "stock-bridge")
            time.sleep(WARM_UP)
            idle_from, logged_first = time.time(), logged_bytes(home, state)
            time.sleep(IDLE)
            began, stored_before = time.time(), stored_bytes(state["environment"])
            logged_before = logged_bytes(home, state)
            orders = str(ROOT / "data" / "online-retail-2010-12.csv.gz")
            orderstream(
                "demo", "--orders", orders, "--limit", limit, "--out", str(out), "--no-progress", *where
            )
            ended, stored = time.time(), stored_bytes(state["environment"]) - stored_before
            logged = logged_bytes(home, state) - logged_before
        finally:
            orderstream("local", "down", "--home", str(home))
        (notes / f"{bridge}.tsv").unlink(missing_ok=True)
        idle, busy = counted(notes, idle_from, began), counted(notes, began, ended)
        summary = json.loads((out / "summary.json").read_bytes())
        accepted, seconds = summary["counts"]["accepted"], ended - began

        def an_order(kind: str) -> dict[str, float]:
            added = {
                name: (total - idle[kind][name] / IDLE * seconds) / accepted
                for name, total in busy[kind].items()
            }
            return {name: round(each, 3) for name, each in sorted(added.items()) if each >= 0.005}

        logged_idle = (logged_before - logged_first) / IDLE
        # Stock changes in transactions only, where each counts twice; an item is far below a KiB.
        captured_changes = round(an_order("write_units")[STOCK] / 2, 3)
        log_bytes = round((logged - logged_idle * seconds) / accepted, 1)
        document = {
            "schema": "shard-sizing/calls-per-order/3",
            "date": datetime.now(UTC).date().isoformat(),
            "made_by": (
                f"make calls-per-order: {limit} invoices of the bundled orders on {SHARDS} shards, embedded "
                f"engine; {accepted} orders accepted in {seconds:.0f} s, after {IDLE:.0f} s without orders "
                f"for the idle pace, that of leases as with failover_seconds={Settings().failover_seconds:g}"
            ),
            "shards": SHARDS,
            "processes": sum(each["name"] not in NOT_OURS for each in state["processes"]),
            "readers": READERS,
            "orders": accepted,
            "milliseconds_per_order": summary["cpu"]["own_milliseconds_per_order"],
            "calls": an_order("calls"),
            "entries": an_order("entries"),
            "bytes": an_order("bytes"),
            "units": dict(
                sorted(
                    (
                        an_order("units") | {"dynamodb_capture": captured_changes, "log_byte": log_bytes}
                    ).items()
                )
            ),
            "per_line": units_per_line(),
            "stated_units": an_order("stated"),
            "write_units": an_order("write_units"),
            "read_units": an_order("read_units"),
            "stored_bytes": round(stored / accepted, 1),
            "idle_calls_per_second": {
                scale: {name: round(count / IDLE, 3) for name, count in sorted(idle[f"idle_{scale}"].items())}
                for scale in ("per_shard", "per_process")
            },
        }
    OUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written to {OUT}")


if __name__ == "__main__":
    main()
