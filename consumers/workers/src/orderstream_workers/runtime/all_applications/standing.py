"""The state of each application in a process that runs all of them, and its ``/health`` report. Pure.

::

                 its worker is wired              asked to stop             drained
    (STARTING) ──────────────────────> RUNNING ──────────────────> DRAINING ────────> ENDED
        ^   │                             │                            │
        │   │ failed                      │ failed, or ended unasked   │ failed: it is said, and
        │   v                             v                            v nothing is tried again
        └── DOWN <────────────────────────┘                          ENDED
   after a pause, twice as long each time, up to a minute; the first again after it has run for that long
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from orderstream_consumer.processing.backoff import Backoff

Phase = Literal["STARTING", "RUNNING", "DOWN", "DRAINING", "ENDED"]

_PAUSES: Final = Backoff(first=1.0, longest=60.0)
_PROVEN: Final = dt.timedelta(seconds=60)
"""Who has run for so long begins with the shortest pause again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one application.

    Attributes:
        name: The application.
        since: When it came there (UTC).
        phase: See the module.
        failures: How often it went down in a row.
        reason: Why it went down last; None if it never did.
    """

    name: str
    since: dt.datetime
    phase: Phase = "STARTING"
    failures: int = 0
    reason: str | None = None

    def started(self, now: dt.datetime) -> "Standing":
        """It is tried, for the first time or again."""
        return replace(self, phase="STARTING", since=now)

    def wired(self, now: dt.datetime) -> "Standing":
        """Its worker is there, and speaks for itself."""
        return replace(self, phase="RUNNING", since=now) if self.phase == "STARTING" else self

    def asked_to_stop(self, now: dt.datetime) -> "Standing":
        """The process ends."""
        return self if self.phase == "ENDED" else replace(self, phase="DRAINING", since=now)

    def came_back(self, reason: str | None, now: dt.datetime) -> "Standing":
        """Its worker has ended.

        Args:
            reason: What it failed with; None if it just ended.
            now: The time (UTC).
        """
        if self.phase in ("DRAINING", "ENDED"):
            return replace(self, phase="ENDED", since=now, reason=reason or self.reason)
        proven = self.phase == "RUNNING" and now - self.since >= _PROVEN
        failures = 1 if proven else self.failures + 1
        said = reason or "it ended by itself"
        return replace(self, phase="DOWN", since=now, failures=failures, reason=said)

    def pause(self) -> float:
        """Seconds until it is tried again, while it is down."""
        return _PAUSES.pause(max(0, self.failures - 1), 1.0)


def report_of_all(
    standings: Sequence[Standing], reports: Mapping[str, Callable[[], dict[str, Any]]]
) -> dict[str, Any]:
    """What ``/health`` says of all applications: whose fault it is first, then each one's own report.

    Args:
        standings: Of every application.
        reports: Of those whose worker is there.
    """
    said = {one.name: _report(one, reports.get(one.name)) for one in standings}
    against = [f"{name}: {each['reason']}" for name, each in said.items() if not each["healthy"]]
    unready = [
        f"{name}: {each['reason']}" for name, each in said.items() if each["healthy"] and not each["ready"]
    ]
    reasons = [*against, *unready]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return {
        "application": "all",
        "healthy": not against,
        "ready": not reasons,
        "reason": f"{reasons[0]}{more}" if reasons else None,
        "down": [one.name for one in standings if one.phase == "DOWN"],
        "applications": said,
    }


def _report(one: Standing, report: Callable[[], dict[str, Any]] | None) -> dict[str, Any]:
    said = {"phase": one.phase, "failures": one.failures, "last_failure": one.reason}
    if one.phase in ("RUNNING", "DRAINING") and report is not None:
        return said | report()
    down = one.phase == "DOWN"
    reason = f"it is down: {one.reason}" if down else f"it is {one.phase}"
    return said | {"healthy": not down, "ready": False, "reason": reason}
