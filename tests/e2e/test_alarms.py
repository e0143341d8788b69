"""Real faults fire exactly their alarms: three quick rows of the matrix, all at once.

`make alarms` plays them all. Alarms are about time, so this runs by itself (`make
test-alarms`), not beside other pipelines.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alarms.faults import FAULTS, Fault
from alarms.mutants import survivors
from alarms.play import Row, expected, healthy, play
from alarms.world import World, running

AT_ONCE = ("a poison record", "a dead payment", "stock below zero")
INVOICES = 20
MINUTE = 5.0


@contextmanager
def struck(world: World) -> Iterator[None]:
    """All of them happen."""
    with ExitStack() as mended:
        for fault in FAULTS:
            if fault.name in AT_ONCE:
                mended.enter_context(fault.strike(world))
        yield


def test_faults_fire_exactly_their_alarms(tmp_path: Path) -> None:
    """Orders that flow fire none; three faults fire their three rows, and all is quiet again behind them.

    And each planted defect of the alarms concerned gives itself away.
    """
    matrix = expected()
    row = Row(frozenset[str]().union(*(matrix[name].fires for name in AT_ONCE)))
    fault = Fault("three at once", "", struck)
    with running(tmp_path / "home", minute=MINUTE) as world:
        verdicts = [healthy(world, INVOICES)]
        world.flow.start(rate=1.0)
        verdicts.append(play(world, fault, row))
        planted = world.mutants
    assert [verdict.line for verdict in verdicts if not verdict.good] == []
    wanted = {verdicts[0].fault: frozenset[str](), fault.name: row.fires}
    assert survivors(planted, wanted, {verdict.fault: verdict.planted for verdict in verdicts}) == []
