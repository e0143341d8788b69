"""A change of health is logged once, with its reason: on AWS no person reaches ``/health``."""

import datetime as dt
import logging
from typing import Any

import pytest

from orderstream_consumer.health.changes import HealthChanges

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_each_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """That a reason's figures grow is no change; the end says how long it lasted."""
    now, said = START, dict[str, Any](healthy=True, reason="the table t has not responded yet")

    def look() -> None:
        nonlocal now
        changes.look()
        now += dt.timedelta(seconds=5)

    changes = HealthChanges(lambda: said, lambda: now)
    with caplog.at_level(logging.INFO):
        look()
        for seconds in (95, 100, 105):
            said |= {"healthy": False, "reason": f"the table t has not responded for {seconds} s"}
            look()
        said |= {"healthy": True, "reason": None}
        look()
        look()
    unhealthy, again = caplog.records
    assert (unhealthy.levelname, unhealthy.message) == ("WARNING", "unhealthy")
    assert vars(unhealthy)["reason"] == "the table t has not responded for 95 s"
    assert (again.message, vars(again)["duration_seconds"]) == ("healthy again", 15.0)


def test_a_state_that_cannot_be_told_is_unhealthy_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A defect of the report must not end the process that it reports on."""

    def report() -> dict[str, Any]:
        raise RuntimeError("dictionary changed size during iteration")

    changes = HealthChanges(report, lambda: START)
    changes.look()
    changes.look()
    (record,) = caplog.records
    assert "RuntimeError" in vars(record)["reason"]
