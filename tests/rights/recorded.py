"""What processes were seen to ask of AWS, run by run."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from rights.policy import Request

RECORDED = Path(__file__).with_name("recorded-calls.json")

KCL = "kcl"
"""The run on Amazon's KCL, which is not deployed: what it needs is known, and granted to nobody."""

OPERATED = frozenset({"dlq", "saga", "shipping", "stock", "order", "status", "provision"})
"""The first word of an operators' command."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A call that was seen.

    Attributes:
        run: In which run.
        caller: A process of the pipeline by its name, an operators' command as it is written.
        request: What IAM would have been asked for.
    """

    run: str
    caller: str
    request: Request


def of_interest(caller: str) -> bool:
    """Whether a caller is of the pipeline or one of its operators' commands: the playground has no role."""
    if caller.startswith("orderstream "):
        return caller.split()[1:2] != [] and caller.split()[1] in OPERATED
    return caller in {process.name for process in topology(Settings()).processes}


def seen() -> Iterator[Seen]:
    """Every recorded call on the engine that is deployed."""
    return (one for one in _recorded() if one.run != KCL)


def seen_on_kcl() -> Iterator[Seen]:
    """Every call that was recorded on Amazon's KCL."""
    return (one for one in _recorded() if one.run == KCL)


def _recorded() -> Iterator[Seen]:
    runs: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = json.loads(RECORDED.read_bytes())
    for run, callers in runs.items():
        for caller, resources in callers.items():
            for resource, actions in resources.items():
                for action in actions:
                    yield Seen(run, caller, Request(action, resource))
