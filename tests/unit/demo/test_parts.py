"""What the parts of an environment say about their work, put together."""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from orderstream_playground.demo.parts import Parts
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.settings import Settings

APPLICATIONS = application_names(Settings())


@dataclass
class Process:
    name: str
    response: dict[str, Any] | None
    emulator: bool = False

    def health(self) -> bytes | None:
        return None if self.response is None else json.dumps(self.response).encode()


def worker(application: str, *shards: str, checkpoint: str = "9/0", millis: int = 0) -> Process:
    stream = "stock-changes" if application == "stock-monitor" else "orders"
    told = [{"shard_id": shard, "checkpoint": checkpoint, "millis_behind_latest": millis} for shard in shards]
    return Process(application, {"application": application, "stream": stream, "shards": told})


def everybody() -> dict[str, Process]:
    """All of them done: two shards of orders, one of changes, which bears the name of one of the others."""
    workers = {name: worker(name, "shard-0", "shard-1") for name in APPLICATIONS}
    workers["stock-monitor"] = worker("stock-monitor", "shard-0", checkpoint="5/0")
    return workers


def parts(processes: dict[str, Process], bridge: dict[str, Any] | None = None) -> Parts:
    state: Any = SimpleNamespace(
        processes=[*processes.values(), Process("stock-bridge", bridge, emulator=True)]
    )
    nothing: Any = None
    return Parts(
        layout=SimpleNamespace(settings=Settings()),
        state=state,
        read_model=nothing,
        store=nothing,
        s3=nothing,
        sqs=nothing,
        http=nothing,
    )


def test_shards_of_two_streams_are_told_apart() -> None:
    """The same shard id in two streams is two shards, each at its own end."""
    assert parts(everybody()).silent_applications() == []
    assert parts(everybody()).consumers_behind() == 0


def test_an_application_that_speaks_for_some_shards_only_is_silent() -> None:
    """Nobody can say that it is done with the others; nor where no process of it answers."""
    workers = everybody()
    workers["saga"] = worker("saga", "shard-1")
    workers["stock-monitor"].response = None
    assert parts(workers).silent_applications() == ["saga", "stock-monitor"]


@pytest.mark.parametrize(
    "late", [worker("saga", "shard-0", "shard-1", checkpoint="8/0"), worker("saga", "shard-0", millis=5)]
)
def test_a_consumer_behind_the_others_is_noticed(late: Process) -> None:
    """By another checkpoint on the same shard, or by its own word."""
    assert parts(everybody() | {"saga": late}).consumers_behind() > 0


@pytest.mark.parametrize(("response", "waiting"), [({"waiting": True}, True), ({"waiting": False}, False)])
def test_changes_wait_until_the_bridge_has_found_none(response: dict[str, Any], waiting: bool) -> None:
    """Low stock may still follow from what the bridge has in hand."""
    assert parts({}, response).changes_waiting() is waiting


def test_a_bridge_that_does_not_answer_may_have_changes() -> None:
    """A dead one has not said that there are none."""
    assert parts({}).changes_waiting()
