"""Several applications in one process: what becomes of one is no business of the others."""

import datetime as dt
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from orderstream.errors import DependencyError
from orderstream.observability.log_context import logs_as
from orderstream_consumer.processing.beside import Beside
from orderstream_consumer.processing.concurrency import ThreadPool, Threads
from orderstream_workers.cli.main import orderstream
from orderstream_workers.runtime.all_applications.run import AllApplications, NotDrainedError, Reported
from orderstream_workers.runtime.all_applications.standing import Standing, report_of_all
from orderstream_workers.runtime.logs import configure_logging

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def well() -> dict[str, Any]:
    return {"healthy": True, "ready": True, "reason": None}


class Pipeline:
    """Applications that do what a test says, and a process that runs them."""

    def __init__(self, *names: str, drain_seconds: float = 60.0) -> None:
        self.acts: dict[str, list[Callable[[threading.Event], None]]] = {name: [] for name in names}
        self.tries = dict.fromkeys(names, 0)
        self.stop = threading.Event()
        self.failure: Exception | None = None
        self.process = AllApplications(names, self.run_one, drain_seconds=drain_seconds)
        self.thread = threading.Thread(target=self.run)

    def run_one(self, name: str, stop: threading.Event, reported: Reported) -> None:
        self.tries[name] += 1
        if self.acts[name]:
            self.acts[name].pop(0)(stop)
            return
        reported(well)
        stop.wait()

    def run(self) -> None:
        try:
            self.process.run(self.stop)
        except NotDrainedError as error:
            self.failure = error

    def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        end = time.monotonic() + 100
        while time.monotonic() < end:
            if holds(said := self.process.report()):
                return said
            time.sleep(0.01)
        raise AssertionError(said)


def failing(error: BaseException) -> Callable[[threading.Event], None]:
    def fail(_: threading.Event) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DependencyError("dynamodb", "GetItem", "throttled"), "throttled"),
        (ZeroDivisionError("a defect"), "ZeroDivisionError: a defect"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_one_that_fails_is_named_and_tried_again_and_the_others_go_on(
    error: BaseException, reason: str
) -> None:
    """An outage, a defect, even an exit: health names who is down and why, while the others are well."""
    pipeline = Pipeline("saga", "inventory")
    pipeline.acts["saga"] = [failing(error)]
    pipeline.thread.start()
    said = pipeline.until(
        lambda said: said["down"] == ["saga"] and said["applications"]["inventory"]["ready"]
    )
    assert (said["healthy"], said["ready"]) == (False, False)
    assert said["reason"].startswith("saga: it is down: ")
    assert reason in said["reason"]
    said = pipeline.until(lambda said: said["ready"])
    assert (said["healthy"], said["down"]) == (True, [])
    assert pipeline.tries == {"saga": 2, "inventory": 1}
    pipeline.stop.set()
    pipeline.thread.join()
    assert pipeline.failure is None
    ended = pipeline.process.report()["applications"]
    assert {one["phase"] for one in ended.values()} == {"ENDED"}


def test_one_that_ends_unasked_is_down() -> None:
    """An application that just returns does nothing any more: that is no health."""
    pipeline = Pipeline("saga")
    pipeline.acts["saga"] = [lambda _: None]
    pipeline.thread.start()
    said = pipeline.until(lambda said: said["down"])
    assert said["reason"] == "saga: it is down: it ended by itself"
    pipeline.stop.set()
    pipeline.thread.join()


def test_one_that_hangs_keeps_the_process_no_longer_than_the_limit() -> None:
    """The others drain at once; who does not end in time is named, and the process ends."""
    pipeline = Pipeline("saga", "inventory", drain_seconds=0.2)
    released = threading.Event()
    pipeline.acts["saga"] = [lambda _: released.wait(100) and None]
    pipeline.thread.start()
    pipeline.until(lambda said: said["applications"]["inventory"]["ready"])
    pipeline.stop.set()
    pipeline.thread.join()
    assert isinstance(pipeline.failure, NotDrainedError)
    assert pipeline.failure.names == ("saga",)
    assert pipeline.process.report()["applications"]["inventory"]["phase"] == "ENDED"
    released.set()


def test_a_stop_that_comes_at_once_ends_it_all() -> None:
    """Even before the applications have begun."""
    pipeline = Pipeline("saga", "inventory")
    pipeline.stop.set()
    pipeline.thread.start()
    pipeline.thread.join()
    assert pipeline.failure is None


@given(st.lists(st.sampled_from(["fail", "run"]), max_size=30))
def test_pauses_grow_with_failures_in_a_row_and_stay_below_a_minute(acts: list[str]) -> None:
    """Who ran for a minute begins with the shortest pause again; who fails at once waits twice as long."""
    standing, now, in_a_row = Standing("saga", NOW), NOW, 0
    for act in acts:
        standing = standing.started(now).wired(now)
        now += dt.timedelta(seconds=60 if act == "run" else 1)
        in_a_row = 1 if act == "run" else in_a_row + 1
        standing = standing.came_back("why", now)
        assert standing.phase == "DOWN"
        assert standing.pause() == min(60.0, 2.0 ** (in_a_row - 1))
    ended = standing.asked_to_stop(now).came_back(None, now)
    assert ended.came_back("late", now).phase == "ENDED"
    assert ended.asked_to_stop(now) == ended


def test_the_unhealthy_come_before_the_unready() -> None:
    """The first reason is the worst, and says how many more there are."""
    standings = [
        Standing("a", NOW),
        Standing("b", NOW).wired(NOW),
        Standing("c", NOW).came_back("broke", NOW),
    ]
    said = report_of_all(
        standings, {"b": lambda: {"healthy": False, "ready": False, "reason": "stands still"}}
    )
    assert said["reason"] == "b: stands still (and 2 more)"
    assert said["down"] == ["c"]


@pytest.fixture
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("root_logger")
def test_each_line_bears_the_name_of_its_application(capsys: pytest.CaptureFixture[str]) -> None:
    """On its own thread, beside it, in a pool, and on a thread that the engine starts; else the process's."""
    configure_logging("INFO", "all")
    logger = logging.getLogger("orderstream.test")
    pool = ThreadPool(1, "lane")
    for name in ("saga", "inventory"):
        with logs_as(name):
            logger.info("own thread")
            with Beside(threading.Event()) as beside:
                beside.start(lambda _: logger.info("beside"))
            results: queue.SimpleQueue[None] = queue.SimpleQueue()
            pool.submit(logger.info, "pool")
            pool.submit(results.put, None)
            results.get(timeout=60)
            Threads().start(lambda: logger.info("engine"), "engine").join()
    logger.info("nobody's")
    pool.shutdown()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    where = ("own thread", "beside", "pool", "engine")
    assert [(line["application"], line["message"]) for line in lines] == [
        *(("saga", one) for one in where),
        *(("inventory", one) for one in where),
        ("all", "nobody's"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name one application, or say --all"),
        (("saga", "--all"), "name one application, or say --all"),
        (("--all", "--engine", "kcl"), "embedded engine"),
        (("--all", "--adopt-new-stream"), "for one application"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake on the command line, before anything starts."""
    monkeypatch.setenv("ORDERSTREAM_ENGINE", "embedded")
    ended = CliRunner().invoke(orderstream, ["worker", *words])
    assert ended.exit_code == 2
    assert said in ended.stderr
