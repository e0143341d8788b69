"""Health tells what is handled: whatever keeps records waiting is named, with the reason in one sentence."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from orderstream_consumer.health.report import WorkerStanding, worker_report
from orderstream_consumer.health.watch import DependencyState, Figure
from orderstream_consumer.processing.progress import GivenUp, ShardProgress, Waiting
from orderstream_consumer.processing.record import Position

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def ago(seconds: float) -> dt.datetime:
    return NOW - dt.timedelta(seconds=seconds)


WELL = ShardProgress(
    shard_id="a",
    state="PROCESSING",
    state_since=ago(3600),
    checkpoint=Position(7, 1),
    checkpoint_at=ago(3),
    last_read=ago(1),
    read_lag_millis=0,
)
WORKS = WorkerStanding(begun_at=ago(3600), claimed=True, started=True, stopping=False)
RESPONSES = DependencyState("table t", ago(3600), responded_at=ago(10), asked_at=ago(10))


def report(
    *shards: ShardProgress,
    standing: WorkerStanding = WORKS,
    dependencies: tuple[DependencyState, ...] = (RESPONSES,),
    figures: dict[str, Figure] | None = None,
) -> dict[str, Any]:
    return worker_report(
        "it",
        "orders",
        "it:1",
        standing=standing,
        progress=shards,
        dependencies=dependencies,
        counters={"handled": 5},
        figures=figures or {},
        now=NOW,
    )


def waits(arrived: float, read: float, handled: float | None = None) -> ShardProgress:
    """A shard with a record that arrived, was read, and another that was handled, so many seconds ago."""
    return replace(
        WELL,
        waiting=Waiting(ago(arrived), ago(read)),
        checkpoint_at=None if handled is None else ago(handled),
    )


def test_a_worker_that_works_is_healthy_and_ready_without_a_reason() -> None:
    """The whole report, as an alarm reads it."""
    said = report(WELL)
    assert (said["healthy"], said["ready"], said["reason"], said["stalled"]) == (True, True, None, [])
    assert (said["oldest_unhandled_seconds"], said["millis_behind_latest"]) == (None, 0)
    assert said["shards"][0]["checkpoint"] == "7/1"
    assert said["shards"][0]["checkpoint_age_seconds"] == 3.0
    assert said["dependencies"] == [{"name": "table t", "responded_seconds_ago": 10.0, "failure": None}]
    assert said["handled"] == 5


@pytest.mark.parametrize(
    ("shard", "healthy"),
    [
        (waits(arrived=600, read=89), True),  # a backlog, read just now
        (waits(arrived=600, read=91), False),
        (waits(arrived=600, read=600, handled=89), True),  # it is slow, and gets on
        (waits(arrived=600, read=600, handled=91), False),
        (waits(arrived=91, read=80, handled=3600), True),  # nothing came for an hour before
        (replace(WELL, last_read=ago(91)), False),
        (replace(WELL, last_read=None, state_since=ago(89)), True),
        (replace(WELL, last_read=None, state_since=ago(91)), False),
        (replace(WELL, state="INITIALIZING", state_since=ago(91)), False),
        (replace(WELL, state="REGISTERING_CHILDREN", state_since=ago(91)), False),
        (replace(WELL, state="WAITING_ON_PARENTS", last_read=None, state_since=ago(9000)), True),
    ],
)
def test_a_shard_on_which_nothing_is_handled_is_stalled(shard: ShardProgress, healthy: bool) -> None:
    """Reading on is no progress: what counts is that records are handled while records wait."""
    said = report(WELL, replace(shard, shard_id="b"))
    assert said["healthy"] is healthy
    assert said["stalled"] == ([] if healthy else ["b"])
    assert said["reason"] is None if healthy else said["reason"].startswith("b ")


def test_the_reason_says_what_fails() -> None:
    """The shard's own failure, else the last one of the process, in one sentence."""
    stalled = waits(arrived=600, read=240)
    failing = replace(WORKS, failure="s3 did not complete PutObject: NoSuchBucket")
    assert report(stalled, standing=failing)["reason"] == (
        "a has handled no record for 240 s although records wait: s3 did not complete PutObject: NoSuchBucket"
    )
    own = replace(stalled, failure="Kinesis gives no records: unreachable")
    assert report(own, standing=failing)["reason"].endswith("Kinesis gives no records: unreachable")


def test_lag_is_that_of_what_is_handled() -> None:
    """Reading at the tip says nothing while a record waits; where nobody reads, the lag is unknown."""
    said = report(WELL, replace(waits(arrived=250, read=240), shard_id="b"))
    assert said["millis_behind_latest"] == 250_000
    assert said["oldest_unhandled_seconds"] == 250.0
    assert [shard["millis_behind_latest"] for shard in said["shards"]] == [0, 250_000]
    assert report(WELL, replace(WELL, last_read=ago(91)))["millis_behind_latest"] is None


@pytest.mark.parametrize(("seconds", "healthy"), [(0, True), (90, False), (91, True)])
def test_a_shard_that_was_given_up_is_told_for_a_while(seconds: int, healthy: bool) -> None:
    """Another worker may have it by now, and the cause is still a defect that somebody must hear of."""
    given_up = GivenUp("b", "a lane was ended by force (SystemExit: 3)", ago(seconds))
    said = report(WELL, standing=replace(WORKS, given_up=(given_up,) if seconds else ()))
    assert said["healthy"] is healthy
    assert healthy or said["reason"] == ("b was given up 90 s ago: a lane was ended by force (SystemExit: 3)")


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (replace(WORKS, claimed=False, started=False), "the application is not claimed for this engine yet"),
        (replace(WORKS, started=False), "the shards of the stream orders have not been seen yet"),
    ],
)
def test_a_worker_that_does_not_get_to_its_shards_is_unhealthy(standing: WorkerStanding, reason: str) -> None:
    """It is not ready at once, and unhealthy once that lasts as long as a stall, shards or none."""
    young = report(standing=replace(standing, begun_at=ago(90)))
    assert (young["healthy"], young["ready"], young["reason"]) == (True, False, reason)
    old = report(standing=replace(standing, begun_at=ago(91)))
    assert (old["healthy"], old["reason"]) == (False, f"{reason}, 91 s after the start (and 1 more)")


def test_a_worker_that_drains_is_not_ready() -> None:
    """And healthy, however long it has not begun."""
    said = report(standing=replace(WORKS, started=False, stopping=True))
    assert (said["healthy"], said["ready"], said["reason"]) == (True, False, "the worker drains")


@pytest.mark.parametrize(
    ("state", "healthy", "ready"),
    [
        (DependencyState("bucket b", ago(5)), True, False),  # not asked yet
        (DependencyState("bucket b", ago(5), failure="404"), True, False),
        (DependencyState("bucket b", ago(91), failure="404"), False, False),
        (DependencyState("bucket b", ago(600), responded_at=ago(90), failure="404"), True, True),
        (DependencyState("bucket b", ago(600), responded_at=ago(91), failure="404"), False, False),
        (DependencyState("bucket b", ago(600), responded_at=ago(91)), True, True),  # whoever asks is slow
    ],
)
def test_each_dependency_has_to_response(state: DependencyState, healthy: bool, ready: bool) -> None:
    """Ready only once each has answered; unhealthy once one has not for as long as a stall."""
    said = report(WELL, dependencies=(RESPONSES, state))
    assert (said["healthy"], said["ready"]) == (healthy, ready)
    assert ready or "bucket b" in said["reason"]


def test_figures_that_cannot_be_had_are_unknown() -> None:
    """An alarm on them must not see them vanish while their store is away, and a person sees why."""
    figures = {"parked": Figure(None, "Query: down", NOW), "dead_letters": Figure(0, None, NOW)}
    said = report(WELL, figures=figures)
    assert (said["parked"], said["dead_letters"]) == ("unknown", 0)
    assert said["unknown"] == {"parked": "Query: down"}
    assert said["healthy"]


def test_a_hole_in_the_leases_is_unhealthy() -> None:
    """Records of these hash keys are read by nobody, however well every shard does."""
    hole = "no lease covers the hash keys from 5 to 9"
    said = report(WELL, standing=replace(WORKS, hole=hole))
    assert (said["healthy"], said["reason"]) == (False, hole)
