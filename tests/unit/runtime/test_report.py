"""Health tells the truth: a shard on which nothing succeeds is named, an outage elsewhere is no illness."""

import datetime as dt

import pytest

from orderstream.errors import DependencyError
from orderstream_workers.engine.lifecycle import ShardProgress
from orderstream_workers.engine.record import Position
from orderstream_workers.runtime.report import worker_report

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def progress(shard_id: str, seconds_ago: int | None) -> ShardProgress:
    return ShardProgress(
        shard_id=shard_id,
        state="PROCESSING",
        checkpoint=Position(7, 1),
        millis_behind_latest=0,
        last_success=None if seconds_ago is None else NOW - dt.timedelta(seconds=seconds_ago),
        foreign_aggregates=0,
        corrupt_aggregates=0,
    )


@pytest.mark.parametrize(("seconds_ago", "healthy"), [(0, True), (90, True), (91, False), (None, True)])
def test_a_shard_that_stands_still_makes_the_worker_unhealthy(seconds_ago: int | None, healthy: bool) -> None:
    """One stalled shard is enough, and it is named; a shard that has only just been taken is not stalled."""
    shards = [progress("a", 0), progress("b", seconds_ago)]
    report = worker_report("it", "orders", "it:1", shards, dict, NOW)
    assert report["healthy"] is healthy
    assert report["stalled"] == ([] if healthy else ["b"])
    assert report["shards"][0]["checkpoint"] == "7/1"
    assert report["stream"] == "orders"


def test_figures_that_cannot_be_had_are_left_out() -> None:
    """A probe does not depend on the database from which a counter comes."""

    def figures() -> dict[str, int]:
        raise DependencyError("dynamodb", "Query", "down")

    assert worker_report("it", "orders", "it:1", [], figures, NOW)["healthy"] is True
