"""Starts the pipeline as a user does, and judges what it came to."""

import os
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path

INVOICES = Path(__file__).parents[2] / "data" / "online-retail-2010-12.csv.gz"

PORTS_OF_A_WORKER = 700
"""Ports that belong to one worker of a test run, so that pipelines side by side never meet."""


def free_base_port(count: int = 16) -> int:
    """A port with enough free ones behind it, among those of this worker of the test run.

    They lie below Linux's ephemeral ports (32,768 and up), which any client's connection may hold. Where the
    search begins depends on the process, so that two test runs beside each other seldom choose the same.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 25_000 + worker % 8 * PORTS_OF_A_WORKER
    bases = deque(range(first, first + PORTS_OF_A_WORKER - count, 50))
    bases.rotate(-os.getpid())
    for base in bases:
        try:
            for port in range(base, base + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


def orderstream(home: Path, port: int, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", "orderstream_workers.cli.main", *arguments]
    return [*command, "--home", str(home), *(["--base-port", str(port)] if port else [])]


def reconcile(out: Path, limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("reconcile.py"))),
            *("--orders", str(INVOICES), "--limit", str(limit), "--out", str(out)),
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
