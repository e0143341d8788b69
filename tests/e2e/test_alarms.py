"""Real faults fire exactly their alarms: three quick rows of the matrix, all at once.

`make alarms` plays them all. Alarms are about time, so this runs by itself, not beside other pipelines.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alarms.faults import FAULTS, Fault
from alarms.mutants import survivors
from alarms.play import Row, expected, play
from alarms.world import World, running

AT_ONCE = ("a poison record", "a dead payment", "stock below zero")

BEGINNING = 4
"""Minutes until alarms of one minute begin: those that were not measured whole do not count."""


@contextmanager
def struck(world: World) -> Iterator[None]:
    """All of them happen."""
    with ExitStack() as mended:
        for fault in FAULTS:
            if fault.name in AT_ONCE:
                mended.enter_context(fault.strike(world))
        yield


def test_faults_fire_exactly_their_alarms(tmp_path: Path) -> None:
    """While orders flow, three faults fire their three rows and nothing else; then all is quiet again.

    And each planted defect of the alarms concerned gives itself away.
    """
    matrix = expected()
    row = Row(frozenset[str]().union(*(matrix[name].fires for name in AT_ONCE)))
    fault = Fault("three at once", "", struck)
    with running(tmp_path / "home") as world:
        world.flow.start(rate=1.0)
        world.watch(BEGINNING * world.minute, lambda _: False)
        verdict = play(world, fault, row)
        planted = world.mutants
    assert verdict.good, verdict.line
    assert survivors(planted, {fault.name: row.fires}, {fault.name: verdict.planted}) == []
