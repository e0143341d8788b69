"""Counts the AWS calls of one order: the demo, played into an environment whose processes note every request.

First the environment is left alone, which gives the calls a second that are made whether orders come or not;
then the orders are played. What an order adds is what was called meanwhile, less the idle pace.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
OUT = ROOT / "scripts" / "src" / "shard_sizing" / "data" / "calls-per-order.json"
SETTLE, IDLE = 10.0, 20.0  # seconds
SHARDS = 4


def orderstream(*arguments: str, **environment: str) -> None:
    """Run the command."""
    command = [sys.executable, "-m", "orderstream_workers.cli.main", *arguments]
    subprocess.run(command, check=True, env=os.environ | environment, cwd=ROOT)


def requests(folder: Path, since: float, until: float) -> Iterator[tuple[str, int, int]]:
    """Yield operation, entries and bytes of each request noted between two times."""
    for file in folder.glob("*.tsv"):
        for line in file.read_text(encoding="utf-8").splitlines():
            at, service, operation, entries, size = line.split("\t")
            if since <= float(at) < until:
                yield f"{service}.{operation}", int(entries), int(size)


def counted(folder: Path, since: float, until: float) -> dict[str, Counter[str]]:
    """Return calls, entries and bytes by operation."""
    sums: dict[str, Counter[str]] = {"calls": Counter(), "entries": Counter(), "bytes": Counter()}
    for operation, entries, size in requests(folder, since, until):
        sums["calls"][operation] += 1
        sums["entries"][operation] += entries
        sums["bytes"][operation] += size
    return sums


def pid_of(home: Path, name: str) -> str:
    """Return the process id of one of the environment's processes."""
    state: dict[str, Any] = json.loads((home / "state.json").read_bytes())
    return next(str(process["pid"]) for process in state["processes"] if process["name"] == name)


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
            bridge = pid_of(home, "stock-bridge")
            time.sleep(SETTLE)
            idle_from = time.time()
            time.sleep(IDLE)
            began = time.time()
            orders = str(ROOT / "data" / "online-retail-2010-12.csv.gz")
            orderstream(
                "demo", "--orders", orders, "--limit", limit, "--out", str(out), "--no-progress", *where
            )
            ended = time.time()
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
            "schema": "shard-sizing/calls-per-order/1",
            "date": datetime.now(UTC).date().isoformat(),
            "made_by": (
                f"make calls-per-order: {limit} invoices of the bundled orders on {SHARDS} shards, embedded "
                f"engine; {accepted} orders accepted in {seconds:.0f} s, after {IDLE:.0f} s without orders "
                "for the idle pace"
            ),
            "shards": SHARDS,
            "orders": accepted,
            "milliseconds_per_order": summary["cpu"]["own_milliseconds_per_order"],
            "calls": an_order("calls"),
            "entries": an_order("entries"),
            "bytes": an_order("bytes"),
            "idle_calls_per_second": {
                name: round(count / IDLE, 3) for name, count in sorted(idle["calls"].items())
            },
        }
    OUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written to {OUT}")


if __name__ == "__main__":
    main()
