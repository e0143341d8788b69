"""``summary.json``: the results of a run in figures."""

import platform
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from orderstream_playground.local.processes import RunningProcess

_PACKAGES: Final = ("orderstream", "orderstream-workers", "boto3", "msgspec", "pyarrow", "sqlalchemy")


class Timings:
    """Takes the times of a run.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._offered: float | None = None
        self._reservations_completed: float | None = None

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._began

    def offered_all(self) -> None:
        """The last invoice has its response."""
        self._offered = self._clock()

    def reservations_completed(self) -> None:
        """Every reservation has become sold or was released; the first call counts."""
        if self._reservations_completed is None:
            self._reservations_completed = self._clock()

    def figures(self, accepted: int) -> dict[str, float | None]:
        """The times in seconds, and the rate in orders a second."""
        offering = (self._offered or self._clock()) - self._began
        completing = None
        if self._offered is not None and self._reservations_completed is not None:
            completing = round(max(self._reservations_completed - self._offered, 0.0), 3)
        return {
            "offering_seconds": round(offering, 3),
            "accept_rate_per_second": round(accepted / offering, 2) if offering else None,
            "reservations_completed_after_last_order_seconds": completing,
        }


def end_to_end(database: sqlite3.Connection) -> dict[str, float | None]:
    """Seconds from the API's 202 to the order's end: median and 99th percentile.

    Args:
        database: The books of the run.
    """
    seconds = """
        select 86400 * (julianday(ended_at)
               - julianday(json_extract(cast(content as text), '$.accepted_at')))
        from offer join ending using (order_id)
        where outcome = 'accepted' and ended_at is not null order by 1
    """
    count = database.execute(f"select count(*) from ({seconds})").fetchone()[0]
    figures: dict[str, float | None] = {}
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        row = database.execute(f"{seconds} limit 1 offset ?", (int(count * share),)).fetchone()
        figures[f"end_to_end_{name}_seconds"] = round(row[0], 3) if row else None
    return figures


def outcome_counts(database: sqlite3.Connection) -> dict[str, int]:
    """How many accepted orders are in which state, why they were cancelled, and who was notified."""
    states = database.execute(
        "select lower(state), count(*) from ending where order_id in"
        " (select order_id from offer where outcome = 'accepted') group by state"
    )
    reasons = database.execute(
        "select 'cancelled_' || state_reason, count(*) from ending where state = 'CANCELLED' and order_id in"
        " (select order_id from offer where outcome = 'accepted') group by state_reason"
    )
    told = database.execute(
        "select 'notified_' || outcome, count(*) from archived where type = 'CustomerNotified'"
        " and order_id in (select order_id from offer where outcome = 'accepted') group by outcome"
    )
    return dict(states.fetchall()) | dict(reasons.fetchall()) | dict(told.fetchall())


def cpu_figures(
    processes: Sequence[RunningProcess], before: Mapping[str, float], orders: int
) -> dict[str, Any]:
    """CPU time that the run took, our own processes apart from the emulators.

    Args:
        processes: The environment's processes.
        before: Their CPU seconds at the start of the run, by name.
        orders: Orders accepted.
    """
    used = {process.name: process.cpu_seconds() - before[process.name] for process in processes}
    own = sum(used[process.name] for process in processes if not process.emulator)
    emulators = sum(used.values()) - own
    return {
        "own_seconds": round(own, 2),
        "own_milliseconds_per_order": round(1_000 * own / orders, 1) if orders else None,
        "emulators_seconds": round(emulators, 2),
        "by_process": {name: round(seconds, 2) for name, seconds in used.items()},
    }


def versions() -> dict[str, str]:
    """What the run was made with."""
    return {"python": platform.python_version()} | {package: version(package) for package in _PACKAGES}
