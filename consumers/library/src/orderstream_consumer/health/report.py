"""What ``/health`` says: whether records are handled, whether every dependency responds, and if not, why.

Pure: functions of what was observed and of the time.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from orderstream_consumer.health.watch import DependencyState, Figure
from orderstream_consumer.processing.progress import GivenUp, ShardProgress

STALLED_AFTER: Final = dt.timedelta(seconds=90)
"""A process is unhealthy if a record waits and none is handled, or a dependency is silent, for this long."""

UNKNOWN: Final = "unknown"
"""Shown instead of a figure that could not be read."""

_LONG_STATES: Final = frozenset({"WAITING_ON_PARENTS", "PROCESSING", "DONE", "LEASE_LOST"})
"""States that may last: the parents' own shard reports if they are stuck, and records are judged apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerStanding:
    """The state of a worker as a whole.

    Attributes:
        begun_at: When the process began (UTC).
        claimed: Whether the application is this engine's to run.
        started: Whether the worker has seen the shards of its stream, or on KCL: whether its daemon runs.
        stopping: Whether it drains.
        failure: What failed last in a lane or on the way to start; None if nothing did.
        skew: What is wrong with the host's clock; None if nothing is.
        hole: Hash keys of the stream that no lease covers, in words; None if there are none.
        given_up: The shards that it has given up.
    """

    begun_at: dt.datetime
    claimed: bool
    started: bool
    stopping: bool
    failure: str | None = None
    skew: str | None = None
    hole: str | None = None
    given_up: Sequence[GivenUp] = ()


def worker_report(
    application: str,
    stream: str,
    worker_id: str,
    *,
    standing: WorkerStanding,
    progress: Sequence[ShardProgress],
    dependencies: Sequence[DependencyState],
    counters: Mapping[str, int],
    figures: Mapping[str, Figure],
    now: dt.datetime,
) -> dict[str, Any]:
    """Say how a worker is doing.

    Args:
        application: The application.
        stream: The stream that it reads.
        worker_id: The owner in its leases.
        standing: The state of the worker as a whole.
        progress: What the engine says of each shard.
        dependencies: What each dependency said last.
        counters: What this process has counted.
        figures: What is true of the application as a whole.
        now: The time (UTC).

    Returns:
        ``healthy`` and ``ready``, with the ``reason`` where one of them is False.
    """
    if standing.failure is None:
        silent = (f"{state.name}: {state.failure}" for state in dependencies if state.failure is not None)
        standing = replace(standing, failure=next(silent, None))
    stalled = {
        shard.shard_id: sentence
        for shard in progress
        if (sentence := stall_of(shard, standing.failure, now)) is not None
    }
    troubles = [
        *([] if standing.skew is None else [standing.skew]),
        *([] if standing.hole is None else [standing.hole]),
        *_troubles_of_start(stream, standing, now),
        *stalled.values(),
        *(
            f"{shard.shard_id} was given up {_seconds(now - shard.at)} s ago: {shard.reason}"
            for shard in standing.given_up
            if now - shard.at <= STALLED_AFTER
        ),
        *outages(dependencies, now),
    ]
    obstacles = [*_obstacles_of_start(stream, standing), *not_responding(dependencies)]
    waits = [shard.waiting.arrived_at for shard in progress if shard.waiting is not None]
    lags = [lag for shard in progress if (lag := lag_millis(shard, now)) is not None]
    return {
        "application": application,
        "stream": stream,
        **verdict(troubles, obstacles),
        "worker_id": worker_id,
        "stalled": list(stalled),
        "oldest_unhandled_seconds": age(min(waits, default=None), now),
        "retention_gaps": sum(shard.retention_gaps for shard in progress),
        "millis_behind_latest": max(lags, default=None) if len(lags) == len(progress) else None,
        "shards": [_shown(shard, now) for shard in progress],
        "dependencies": shown_dependencies(dependencies, now),
        **counters,
        **shown_figures(figures),
    }


def verdict(troubles: Sequence[str], obstacles: Sequence[str]) -> dict[str, Any]:
    """``healthy``, ``ready``, and the first reason against them.

    Args:
        troubles: What makes the process unhealthy.
        obstacles: What keeps it from being ready beside that.
    """
    reasons = [*troubles, *obstacles]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return {
        "healthy": not troubles,
        "ready": not reasons,
        "reason": f"{reasons[0]}{more}" if reasons else None,
    }


def stall_of(shard: ShardProgress, failure: str | None, now: dt.datetime) -> str | None:
    """Say why a shard is stuck; None if it is not.

    Args:
        shard: The shard.
        failure: What failed last in this process, for a shard that does not know itself.
        now: The time (UTC).
    """
    because = f": {shard.failure or failure}" if shard.failure or failure else ""
    if shard.stream_gone:
        return f"{shard.shard_id} cannot be read: its stream is gone"
    if shard.standstill is not None:
        return f"{shard.shard_id} cannot be read until a person acts: {shard.standstill}"
    if shard.waiting is not None:
        since = max(shard.waiting.read_at, shard.checkpoint_at or shard.waiting.read_at)
        if now - since > STALLED_AFTER:
            lasted = _seconds(now - since)
            return f"{shard.shard_id} has handled no record for {lasted} s although records wait{because}"
        return None  # reading pauses while records are in hand
    if shard.state == "PROCESSING":
        since = max(shard.state_since, shard.last_read or shard.state_since)
        if now - since > STALLED_AFTER:
            return f"{shard.shard_id} could not be read for {_seconds(now - since)} s{because}"
    elif shard.state not in _LONG_STATES and now - shard.state_since > STALLED_AFTER:
        lasted = _seconds(now - shard.state_since)
        return f"{shard.shard_id} has been {shard.state} for {lasted} s{because}"
    return None


def lag_millis(shard: ShardProgress, now: dt.datetime) -> int | None:
    """How far the shard is behind its tip in what it has handled, in milliseconds; None while unknown."""
    if shard.waiting is not None:
        return max(0, round((now - shard.waiting.arrived_at).total_seconds() * 1000))
    if shard.last_read is None or now - shard.last_read > STALLED_AFTER:
        return None
    return shard.read_lag_millis


def outages(dependencies: Iterable[DependencyState], now: dt.datetime) -> list[str]:
    """Name the dependencies that have not responded for too long."""
    return [
        f"the {state.name} has not responded for {_seconds(now - since)} s: {state.failure}"
        for state in dependencies
        if state.failure is not None
        and now - (since := state.responded_at or state.watched_since) > STALLED_AFTER
    ]


def not_responding(dependencies: Iterable[DependencyState]) -> list[str]:
    """Name the dependencies that have never responded."""
    return [
        f"the {state.name} has not responded yet" + (f": {state.failure}" if state.failure else "")
        for state in dependencies
        if state.responded_at is None
    ]


def shown_dependencies(dependencies: Iterable[DependencyState], now: dt.datetime) -> list[dict[str, Any]]:
    """The dependencies as ``/health`` shows them."""
    return [
        {
            "name": state.name,
            "responded_seconds_ago": age(state.responded_at, now),
            "failure": state.failure,
        }
        for state in dependencies
    ]


def shown_figures(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """The figures as ``/health`` shows them; the unknown ones by that word, with the reason beside them."""
    unknown = {name: figure.reason for name, figure in figures.items() if figure.value is None}
    shown: dict[str, Any] = {
        name: UNKNOWN if figure.value is None else figure.value for name, figure in figures.items()
    }
    return {**shown, UNKNOWN: unknown} if unknown else shown


def age(moment: dt.datetime | None, now: dt.datetime) -> float | None:
    """Seconds since a moment, to a tenth; None if there was none."""
    return None if moment is None else max(0.0, round((now - moment).total_seconds(), 1))


def _troubles_of_start(stream: str, standing: WorkerStanding, now: dt.datetime) -> list[str]:
    if standing.stopping or (standing.claimed and standing.started):
        return []
    if now - standing.begun_at <= STALLED_AFTER:
        return []
    (obstacle,) = _obstacles_of_start(stream, standing)
    return [f"{obstacle}, {_seconds(now - standing.begun_at)} s after the start"]


def _obstacles_of_start(stream: str, standing: WorkerStanding) -> list[str]:
    if standing.stopping:
        return ["the worker drains"]
    because = f": {standing.failure}" if standing.failure else ""
    if not standing.claimed:
        return [f"the application is not claimed for this engine yet{because}"]
    if not standing.started:
        return [f"the shards of the stream {stream} have not been seen yet{because}"]
    return []


def _seconds(lasted: dt.timedelta) -> int:
    return int(lasted.total_seconds())


def _shown(progress: ShardProgress, now: dt.datetime) -> dict[str, Any]:
    checkpoint, waiting = progress.checkpoint, progress.waiting
    return {
        "shard_id": progress.shard_id,
        "state": progress.state,
        "checkpoint": str(checkpoint),
        "checkpoint_age_seconds": age(progress.checkpoint_at, now),
        "oldest_unhandled_seconds": age(waiting.arrived_at if waiting else None, now),
        "millis_behind_latest": lag_millis(progress, now),
        "read_seconds_ago": age(progress.last_read, now),
        "failure": progress.failure,
        "wrong_shard_aggregates": progress.wrong_shard_aggregates,
        "corrupt_aggregates": progress.corrupt_aggregates,
        "retention_gaps": progress.retention_gaps,
        "spurious_ends": progress.spurious_ends,
        "standstill": progress.standstill,
        "stream_gone": progress.stream_gone,
    }
