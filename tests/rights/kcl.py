"""Records what the pipeline calls on Amazon's KCL: ``python -m rights.kcl``, from ``tests/``.

A demo runs behind a gateway that notes what KCL's Java asks of DynamoDB and CloudWatch. It speaks HTTP/2 with
Kinesis, past the gateway: there the fake notes its own calls, by the hook beside this file, as Python does
everywhere. It takes minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from chaos.calls import Call
from chaos.gateway import Gateway
from chaos.guard import Guard, read
from chaos.http1 import Message
from e2e.running import INVOICES, free_base_port, orderstream
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.lifecycle import down, up
from orderstream_playground.local.processes import ProcessSpec
from rights.asked import asked
from rights.record import lines, variables, written
from rights.recorded import KCL, of_interest

_PATIENCE = 1500.0
"""Seconds in which the demo has to end."""


class Note(Guard):
    """Refuses nothing, and keeps who has asked for what."""

    def __init__(self) -> None:
        super().__init__({})
        self.noted: set[tuple[str, str, str]] = set()

    def refusal(self, call: Call) -> Message | None:
        """Note a call."""
        if of_interest(call.access_key):
            operation, arguments, _ = read(call)
            for request in asked(call.service, operation, arguments):
                self.noted.add((call.access_key, request.action, request.resource))
        return None


def recorded(limit: int) -> tuple[set[tuple[str, str, str]], int]:
    """Run the demo; what was called, and the demo's exit status."""
    note = Note()
    options = EnvironmentOptions(base_port=free_base_port(), engine="kcl")
    with tempfile.TemporaryDirectory(prefix="recorded-kcl-") as folder, Gateway(guard=note) as gateway:
        home, calls = Path(folder) / "home", Path(folder) / "calls"
        calls.mkdir()
        os.environ |= variables(str(calls))
        kinesis = {"AWS_ENDPOINT_URL_KINESIS": Layout(home, options).kinesis_url}

        def rewire(spec: ProcessSpec) -> ProcessSpec:
            wired = gateway.rewire(spec)
            return wired if spec.emulator else replace(wired, environment={**wired.environment, **kinesis})

        up(home, options, lambda _: None, rewire=rewire)
        try:
            arguments = (
                "demo",
                "--orders",
                str(INVOICES),
                "--limit",
                str(limit),
                "--no-progress",
                "--engine",
                "kcl",
            )
            demo = subprocess.run(
                orderstream(home, options.base_port, *arguments), check=False, timeout=_PATIENCE
            )
        finally:
            down(home)
        # Objects of a bucket have one name in a recording, which the hook gives them.
        found = {one for one in note.noted if not one[1].startswith("s3:")} | lines(calls)
        return found, demo.returncode


def main() -> int:
    """Read the command line, run, write."""
    parser = argparse.ArgumentParser(description="Record a demo on Amazon's KCL.")
    parser.add_argument("--limit", type=int, default=30, help="invoices")
    found, status = recorded(parser.parse_args().limit)
    if status:
        sys.stderr.write(f"nothing is recorded: the demo ended with {status}\n")
        return 1
    written(KCL, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
