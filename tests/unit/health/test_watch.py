"""Dependencies are asked from the start, often while they fail; figures are read beside, not by a probe."""

import datetime as dt
import logging
import threading

import pytest

from orderstream.errors import DependencyError
from orderstream_consumer.health.watch import Dependency, DependencyWatch

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class World:
    """A table that responds or does not, a figure, and a clock."""

    def __init__(self) -> None:
        self.now = START
        self.fails: Exception | None = None
        self.asked = self.read = 0
        self.watch = DependencyWatch([Dependency("table t", self.ask)], {"parked": self.count}, self.clock)

    def clock(self) -> dt.datetime:
        return self.now

    def ask(self) -> None:
        self.asked += 1
        if self.fails:
            raise self.fails

    def count(self) -> int:
        self.read += 1
        if self.fails:
            raise self.fails
        return 3

    def after(self, seconds: float) -> None:
        """Let time pass second by second, as the watch's thread does."""
        for _ in range(int(seconds)):
            self.now += dt.timedelta(seconds=1)
            self.watch.look()


def test_what_answers_is_asked_every_half_minute_and_what_does_not_every_other_second() -> None:
    """An outage is over for us seconds after it is over; a healthy dependency costs two calls a minute."""
    world = World()
    world.after(61)
    assert world.asked == 3
    world.fails = DependencyError("dynamodb", "GetItem", "down")
    world.after(60)
    (state,) = world.watch.states()
    assert state.failure == "GetItem: down"
    assert state.responded_at == START + dt.timedelta(seconds=61)
    assert 15 <= world.asked - 3 <= 20
    world.fails = None
    world.after(2)
    (state,) = world.watch.states()
    assert (state.failure, state.responded_at) == (None, world.now)


def test_whatever_a_question_raises_is_a_failure() -> None:
    """No credentials, no such table, a bug: nothing ends the watch, everything stands in /health."""
    world = World()
    world.fails = KeyError("Table")
    world.after(1)
    (state,) = world.watch.states()
    assert state.failure == "KeyError: 'Table'"
    assert state.responded_at is None


def test_an_outage_is_a_warning_now_and_then_and_its_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """One line a minute, not one a try."""
    world = World()
    world.fails = DependencyError("dynamodb", "GetItem", "down")
    with caplog.at_level(logging.INFO):
        world.after(120)
        world.fails = None
        world.after(5)
    said = [(record.levelname, record.message) for record in caplog.records]
    assert said == [
        *([("WARNING", "dependency does not respond")] * 2),
        ("INFO", "dependency responds again"),
    ]


def test_figures_are_read_every_ten_seconds_and_unknown_while_they_cannot_be() -> None:
    """However often somebody looks at /health."""
    world = World()
    assert world.watch.figures()["parked"].value is None
    world.after(21)
    assert world.read == 3
    assert world.watch.figures()["parked"].value == 3
    world.fails = DependencyError("dynamodb", "Query", "down")
    world.after(10)
    figure = world.watch.figures()["parked"]
    assert (figure.value, figure.reason) == (None, "Query: down")


def test_it_runs_until_it_is_stopped() -> None:
    """And asks at once."""
    world, stop = World(), threading.Event()

    def ask() -> None:
        stop.set()

    DependencyWatch([Dependency("t", ask)], {}, world.clock).run(stop)
    assert stop.is_set()
