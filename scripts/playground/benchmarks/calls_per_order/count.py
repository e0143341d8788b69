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

sys.path.insert(0, str(Path(__file__).parent / "hook"))
import capacity

from orderstream_consumer.store import TableSpec
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
class Request:
    """One line of the notes: a request that was sent, or what a DynamoDB request read."""

    kind: str
    operation: str
    entries: int
    size: int
    tables: dict[str, float]

    @property
    def per_shard(self) -> bool:
        """Whether it is made for a shard: to poll it, or to renew its lease in a lease table."""
        leases = self.operation == "dynamodb.UpdateItem" and not OWN_TABLES & set(self.tables)
        return leases or self.operation.startswith("kinesis.")


def requests(folder: Path, since: float, until: float) -> Iterator[Request]:
    """Yield the requests noted between two times."""
    for file in folder.glob("*.tsv"):
        for line in file.read_text(encoding="utf-8").splitlines():
            kind, at, service, operation, entries, size, tables = line.split("\t")
            if since <= float(at) < until:
                units = {table.removeprefix(PREFIX): each for table, each in json.loads(tables).items()}
                yield Request(kind, f"{service}.{operation}", int(entries), int(size), units)


def counted(folder: Path, since: float, until: float) -> dict[str, Counter[str]]:
    """Return calls, entries and bytes by operation, capacity units by table, idle calls by their scale."""
    names = ("calls", "entries", "bytes", "write_units", "read_units", "idle_per_shard", "idle_per_process")
    sums: dict[str, Counter[str]] = {name: Counter() for name in names}
    for request in requests(folder, since, until):
        units = sums["write_units" if request.kind == "sent" else "read_units"]
        units.update(request.tables)
        if request.kind == "sent":
            sums["calls"][request.operation] += 1
            sums["entries"][request.operation] += request.entries
            sums["bytes"][request.operation] += request.size
            sums["idle_per_shard" if request.per_shard else "idle_per_process"][request.operation] += 1
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
    return sum(capacity.item_bytes(item) for page in pages for item in page["Items"])


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
            idle_from = time.time()
            time.sleep(IDLE)
            began, stored_before = time.time(), stored_bytes(state["environment"])
            orders = str(ROOT / "data" / "online-retail-2010-12.csv.gz")
            orderstream(
                "demo", "--orders", orders, "--limit", limit, "--out", str(out), "--no-progress", *where
            )
            ended, stored = time.time(), stored_bytes(state["environment"]) - stored_before
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

        document = {
            "schema": "shard-sizing/calls-per-order/2",
            "date": datetime.now(UTC).date().isoformat(),
            "made_by": (
                f"make calls-per-order: {limit} invoices of the bundled orders on {SHARDS} shards, embedded "
                f"engine; {accepted} orders accepted in {seconds:.0f} s, after {IDLE:.0f} s without orders "
                "for the idle pace"
            ),
            "shards": SHARDS,
            "processes": sum(each["name"] not in NOT_OURS for each in state["processes"]),
            "readers": READERS,
            "orders": accepted,
            "milliseconds_per_order": summary["cpu"]["own_milliseconds_per_order"],
            "calls": an_order("calls"),
            "entries": an_order("entries"),
            "bytes": an_order("bytes"),
            "write_units": an_order("write_units"),
            "read_units": an_order("read_units"),
            # Stock changes in transactions only, where each counts twice; an item is far below a KiB.
            "captured_changes": round(an_order("write_units")[STOCK] / 2, 3),
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
