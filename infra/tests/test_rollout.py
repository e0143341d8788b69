"""Another engine: the template stops before it starts, and the ownership record keeps out what is too early.

The old tasks are those of a service, which renew the record until each has drained; the new task is started
as ECS starts it. Time is simulated.
"""

import itertools
import random
from collections.abc import Mapping
from typing import Any

import pytest

from orderstream_consumer.engines.ownership import ENGINES, EngineOwnership, MixedEnginesError
from orderstream_consumer.testing import MemoryStore
from orderstream_workers.runtime.settings import Settings

EXPIRY = Settings().failover_seconds
RENEWALS = EXPIRY / 3


class Old:
    """Tasks of the old engine that still work or drain, while time passes.

    Args:
        store: Holds the record.
        ends: When each of them ends, in seconds.
    """

    def __init__(self, store: MemoryStore, ends: list[float]) -> None:
        self.now = 0.0
        self._tasks = []
        for number, end in enumerate(ends):
            task = owner(store, "kcl", self, str(number))
            assert task.claim(self)
            self._tasks.append((task, end))
        self._due = sorted(
            (at, number)
            for number, (_, end) in enumerate(self._tasks)
            for at in itertools.takewhile(lambda at, end=end: at < end, itertools.count(0.0, RENEWALS))  # type: ignore[misc]
        )

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        until = self.now + timeout
        while self._due and self._due[0][0] <= until:
            self.now, number = self._due.pop(0)
            self._tasks[number][0].renew()
        self.now = until
        return False


def owner(store: MemoryStore, engine: str, time: Old, name: str) -> EngineOwnership:
    return EngineOwnership(
        store, "saga", engine, worker_id=f"{engine}:{name}", expiry=EXPIRY, clock=lambda: time.now
    )


def takes_over(ends: list[float], starts: float, again: float, patience: float) -> tuple[float, int]:
    """Start the new engine's task, and again each time that it is refused.

    Args:
        ends: When each old task ends, in seconds since all were asked to.
        starts: When the new task starts.
        again: Seconds until ECS starts it once more.
        patience: Seconds after which nobody waits any longer.

    Returns:
        When it works, which is infinity for never; and how often it was refused.
    """
    store = MemoryStore()
    time, refused = Old(store, ends), 0
    time.wait(starts)
    while time.now < patience:
        try:
            assert owner(store, "embedded", time, "new").claim(time)
        except MixedEnginesError:
            refused += 1
            time.wait(again)
        else:
            item = store.get(ENGINES.name, "saga")
            assert item is not None
            assert item.attributes["engine"] == "embedded"
            return time.now, refused
    return float("inf"), refused


@pytest.fixture(scope="module")
def services(templates: Mapping[str, Any]) -> list[dict[str, Any]]:
    resources = templates["orderstream-workers"]["Resources"].values()
    return [one["Properties"] for one in resources if one["Type"] == "AWS::ECS::Service"]


@pytest.fixture(scope="module")
def longest_drain(templates: Mapping[str, Any]) -> float:
    """Seconds after which a task is gone that was asked to stop."""
    resources = templates["orderstream-workers"]["Resources"].values()
    (seconds,) = {
        container["StopTimeout"]
        for one in resources
        if one["Type"] == "AWS::ECS::TaskDefinition"
        for container in one["Properties"]["ContainerDefinitions"]
    }
    return float(seconds)


@pytest.mark.parametrize("seed", range(50))
def test_the_new_engine_works_when_the_last_old_task_has_ended(seed: int, longest_drain: float) -> None:
    """Whenever ECS starts the new task, it works after the old ones, never beside them, and it does work."""
    chance = random.Random(seed)
    ends = [chance.uniform(0.1, longest_drain) for _ in range(chance.randint(1, 4))]
    at, _ = takes_over(ends, chance.uniform(0, 60), chance.uniform(1, 30), patience=300)
    assert max(ends) <= at < 300


@pytest.mark.parametrize("seed", range(20))
def test_who_stops_first_is_never_refused(seed: int, longest_drain: float) -> None:
    """The way that the guide describes: once the old tasks have ended, the new one waits, and fails never."""
    chance = random.Random(seed)
    ends = [chance.uniform(0.1, longest_drain) for _ in range(chance.randint(1, 4))]
    at, refused = takes_over(ends, max(ends) + chance.uniform(0, 60), again=10, patience=300)
    assert (refused, at < float("inf")) == (0, True)


def test_tasks_that_overlapped_would_wait_for_each_other() -> None:
    """Were a template to start the new task before it stops the old ones, the new engine would never work."""
    at, refused = takes_over([3_600.0], starts=0, again=10, patience=600)
    assert (at, refused > 10) == (float("inf"), True)


def test_no_service_that_consumes_overlaps(services: list[dict[str, Any]]) -> None:
    """At most as many tasks as wanted, none of which has to stay: ECS can only stop before it starts."""
    for service in services:
        if service["ServiceName"] != "api":  # it consumes nothing
            configuration = service["DeploymentConfiguration"]
            assert configuration["MaximumPercent"] * service["DesiredCount"] == 100
            assert configuration["MinimumHealthyPercent"] == 0
