"""What a run came to: one line for a person, one for the record of a campaign."""

import datetime as dt
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orderstream_playground.local.logs.reading import answer, lines_in
from orderstream_workers.runtime.topology.log_queries import QUERIES

MOST_MEMORY = 500
"""MiB that one of our processes may have resident at the end; five times what it starts with."""

EVERYTHING = (
    "kinesis:reject:ProvisionedThroughputExceededException",
    "kinesis:reject:InternalFailure",
    "kinesis:reject:ExpiredIteratorException",
    "kinesis:fail_records:",
    "kinesis:lose_response:ConnectionClosedError",
    "dynamodb:conflict",
    "dynamodb:throttle",
    "dynamodb:lost_ack",
    "dynamodb:odd",
    "dynamodb:odd_ack",
    "provider:",
)
"""What has to strike at least once in a plan in which everything goes wrong at once."""

SELDOM = (
    "sqs:duplicate",
    "sqs:disorder",
    "provider:throttles",
    "provider:errors",
    "provider:lost_responses",
    "ses:outage",
    "sns:outage",
)
"""What a single plan may miss, and a campaign of ``MANY`` plans may not."""

MANY = 10

ANSWERED = {
    "all": ("retries", "leases", "processes"),
    "skew": ("processes",),
    "dynamodb-outage": ("retries", "processes"),
    "provider-outage": ("in-doubt", "processes"),
}
"""By kind of plan: the queries of the logs that have something to say of it, whatever chance does."""

TEETH = {
    "all": EVERYTHING,
    "skew": (),
    "dynamodb-outage": ("dynamodb:outage",),
    "provider-outage": ("provider:outage",),
}
"""By kind of plan: a plan that injects nothing would prove nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run that is over.

    Attributes:
        plan: Kind of its plan.
        engine: What the stream consumers ran on.
        seed: Of its plan.
        events: How often which trouble has happened.
        faults: How often which fault has struck.
        orders: How many were accepted.
        confirmed: How many of them ended well.
        cancelled: How many were cancelled and undone.
        seconds: Of wall time, from the first process to the last.
        memory: Resident MiB of each of our processes at the end.
        broke: What is wrong, a line for each; empty is what everybody hopes for.
    """

    plan: str
    engine: str
    seed: int
    events: Mapping[str, int]
    faults: Mapping[str, int]
    orders: int
    confirmed: int
    cancelled: int
    seconds: float
    memory: Mapping[str, int]
    broke: tuple[str, ...]

    @property
    def line(self) -> str:
        """For a person."""
        sources: Counter[str] = Counter()
        for name, count in self.faults.items():
            sources[_short(name)] += count
        faults = " ".join(f"{name}={count}" for name, count in sources.items()) or "none"
        events = " ".join(f"{name}={count}" for name, count in self.events.items()) or "none"
        return (
            f"{self.plan} seed {self.seed} ({self.engine}): events {events}; faults {faults}; "
            f"{self.orders} orders, {self.confirmed} confirmed, {self.cancelled} cancelled; "
            f"{self.seconds:.0f} s; {'balanced' if not self.broke else 'BROKEN: ' + self.broke[0]}"
        )

    def record(self, folder: Path, command: str, revision: str) -> None:
        """Add it to the record of a campaign.

        Args:
            folder: The campaign's.
            command: Replays the run.
            revision: Of the code that was run.
        """
        row = {**asdict(self), "command": command, "revision": revision}
        with results_of(folder).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def results_of(folder: Path) -> Path:
    """The file in which a campaign is recorded."""
    return folder / "results.jsonl"


def revision_of(folder: Path) -> str:
    """What git calls the code of a folder; what has been changed since its last commit is never the same."""
    git = ["git", "-C", str(folder), "describe", "--always", f"--dirty=-{time.time_ns()}"]
    return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()


def passed(folder: Path, command: str, revision: str) -> set[int]:
    """The seeds that need not be played again: the last such run of this very code was right."""
    rows = [json.loads(line) for line in _lines(folder)]
    last = {
        row["seed"]: row for row in rows if (row.get("command"), row.get("revision")) == (command, revision)
    }
    return {seed for seed, row in last.items() if not row["broke"]}


def counts_of(out: Path) -> tuple[int, int, int]:
    """How many orders a run accepted, confirmed and cancelled; zeros if it did not get so far as to say."""
    if not (out / "orders.jsonl").exists():
        return 0, 0, 0
    states = Counter(row["state"] for row in _orders(out) if row["outcome"] == "accepted")
    return states.total(), states["CONFIRMED"], states["CANCELLED"]


def missed(folder: Path) -> Iterator[str]:
    """What no run of a campaign has injected, if it was long enough to be asked."""
    rows = _rows(folder, "all")
    if len(rows) >= MANY:
        struck = [name for row in rows for name, count in row["faults"].items() if count]
        for wanted in SELDOM:
            if not any(name.startswith(wanted) for name in struck):
                yield f"{wanted} was never injected in {len(rows)} runs"


def accepted_between(out: Path, began: dt.datetime, ended: dt.datetime) -> int:
    """How many orders were accepted in a time."""
    times = (dt.datetime.fromisoformat(row["accepted_at"]) for row in _orders(out) if row["accepted_at"])
    return sum(began <= time <= ended for time in times)


def unanswered(folder: Path, kind: str) -> Iterator[str]:
    """Queries of the logs that find nothing, though there was what they look for.

    Args:
        folder: Of the logs.
        kind: Of the plan.
    """
    lines = list(lines_in(folder))
    for query in QUERIES:
        if query.name in ANSWERED[kind] and not answer(query, lines)[1]:
            yield f"the query {query.name!r} finds nothing in the logs"


def toothless(plan: str, faults: Mapping[str, int]) -> Iterator[str]:
    """What should have been injected at least once, and was not."""
    for wanted in TEETH[plan]:
        if not any(count for name, count in faults.items() if name.startswith(wanted)):
            yield f"{wanted} was never injected"


def overgrown(memory: Mapping[str, int], names: Iterable[str]) -> Iterator[str]:
    """Processes of ours that have ended, or hold more memory than they should."""
    for name in names:
        if name not in memory:
            yield f"{name} has ended by itself"
        elif memory[name] > MOST_MEMORY:
            yield f"{name} holds {memory[name]} MiB"


def _rows(folder: Path, plan: str) -> list[dict[str, Any]]:
    return [row for line in _lines(folder) if (row := json.loads(line))["plan"] == plan]


def _lines(folder: Path) -> list[str]:
    file = results_of(folder)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _orders(out: Path) -> list[dict[str, Any]]:
    with (out / "orders.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _short(name: str) -> str:
    """A fault without the name of its exception where its kind says enough."""
    server, kind, *error = name.split(":")
    return f"{server}:{error[0].removesuffix('Exception')}" if kind == "reject" else f"{server}:{kind}"
