"""Starts the pipeline as a user does, and judges what it came to."""

import socket
import subprocess
import sys
from pathlib import Path

INVOICES = Path(__file__).parents[2] / "data" / "online-retail-2010-12.csv.gz"


def free_base_port(count: int = 16) -> int:
    """A port with enough free ones behind it."""
    for base in range(26_000, 60_000, 100):
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
