"""What ``shard-sizing size`` answers, as its users get it: from the command, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from differential.sizing.grid import Reading
from fakes.sizing_cli import run

INFEASIBLE = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """An answer of ``size``.

    Attributes:
        shards: The number that fits in the wanted share of placements, by reading; None where none does.
        wanted: That share, 0 to 1.
        reason: Why no number does.
    """

    shards: dict[Reading, int | None]
    wanted: float
    reason: str


def advice(options: Sequence[str]) -> Advice:
    """Ask ``size`` about a workload."""
    done = run("size", *options, "--json")
    assert done.exit_code in (0, INFEASIBLE), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    wanted = found["percent"]
    shards = {need["enforcement"]: need["shards"] for need in found["needs"] if need["percent"] == wanted}
    return Advice(shards, wanted / 100, found["way_out"])
