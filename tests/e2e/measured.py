"""What the processes of a run have measured, by the EMF lines that they wrote, at SIGTERM at the latest."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from e2e.logged import NOT_OURS
from fakes.metrics import emf_sums
from orderstream_workers.runtime.settings import Settings

_LOST: Final = re.compile("lease lost|lost lease", re.IGNORECASE)
"""As the embedded engine says it, and KCL."""


def metric_lines(home: Path) -> list[str]:
    """All of them, of the pipeline's own processes.

    Args:
        home: Folder of a local environment that is down.
    """
    return [line for log in _logs(home) for line in log if line.startswith('{"_aws"')]


def measured(home: Path) -> Counter[tuple[str, str]]:
    """What the values of each metric add up to, by process and name, whatever their other dimensions."""
    sums: Counter[tuple[str, str]] = Counter()
    for (name, process), total in emf_sums(metric_lines(home), "Application").items():
        sums[process, name] += total
    return sums


def orders_unsure(home: Path) -> int:
    """Orders that the owners of the saga's lost leases may have counted twice, or not at all.

    They are in the lanes of a shard while its lease is lost: the store may have committed them for the former
    owner, who got no response.
    """
    lost = sum(
        _LOST.search(json.loads(line)["message"]) is not None
        for line in (home / "logs" / "saga.log").read_text().splitlines()
        if line.startswith('{"timestamp"')
    )
    return lost * Settings().max_lanes


def _logs(home: Path) -> Iterator[list[str]]:
    for log in (home / "logs").glob("*.log"):
        if log.stem not in NOT_OURS:
            yield log.read_text().splitlines()
