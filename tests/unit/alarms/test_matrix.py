"""The matrix of faults and alarms: complete, about alarms that there are, printed where operators read."""

from dataclasses import replace

import pytest

from alarms.faults import FAULTS
from alarms.guide import NOT_FIRED, PAGE, rendered
from alarms.mutants import mutants_of, survivors
from alarms.play import Verdict, expected
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.alarms import alarms

SPECS = alarms(topology(Settings()))
NAMES = {spec.name for spec in SPECS}


def test_every_alarm_is_fired_by_a_fault() -> None:
    """An alarm that nobody has seen ring is a guess: a new one needs a fault, or a reason for none."""
    fired = {name for row in expected().values() for name in row.fires}
    assert fired | set(NOT_FIRED) == NAMES
    assert not fired & set(NOT_FIRED)


def test_the_matrix_has_a_row_for_each_fault() -> None:
    """Neither a fault that expects nothing in writing, nor a row that nobody plays."""
    assert [fault.name for fault in FAULTS] == list(expected())
    assert len(FAULTS) >= 10


def test_the_guide_prints_the_matrix() -> None:
    """`PYTHONPATH=tests python -m alarms.guide` writes it."""
    page = PAGE.read_text(encoding="utf-8")
    assert rendered(page) == page


@pytest.mark.parametrize(
    ("field", "words"),
    [("missing", "MISSING"), ("extra", "NOT EXPECTED"), ("stays", "STILL IN ALARM")],
)
def test_whatever_is_not_as_expected_is_named(field: str, words: str) -> None:
    """An alarm that stays makes a fault's verdict bad as one that is missing does, and ends no campaign."""
    none, one = frozenset[str](), frozenset({"saga-parked"})
    good = Verdict("a fault", one, missing=none, extra=none, stays=none, planted=none, seconds=9.0)
    assert (good.good, good.line) == (True, "a fault: 1 rang in 9 s")
    bad = replace(good, **{field: one})
    assert (bad.good, bad.line.splitlines()[1:]) == (False, [f"  {words} saga-parked"])


def test_a_planted_defect_that_no_fault_shows_is_named() -> None:
    """A mutant gives itself away by ringing where its alarm is silent, or by silence where that rings."""
    (spec,) = (spec for spec in SPECS if spec.name == "saga-parked")
    mutants = [*mutants_of([spec, replace(spec, name="never-fired")])]
    names = {mutant.spec.name for mutant in mutants}
    assert names == {"saga-parked-moved", "saga-parked-turned", "never-fired-moved", "never-fired-turned"}
    wanted = {"healthy": frozenset[str](), "poison": frozenset({"saga-parked"})}
    silent = frozenset[str]()
    turned = frozenset({"saga-parked-turned"})
    as_if_right = frozenset({"saga-parked-moved"})
    assert survivors(mutants, wanted, {"healthy": turned, "poison": silent}) == []
    assert survivors(mutants, wanted, {"healthy": turned, "poison": as_if_right}) == ["saga-parked-moved"]
    assert survivors(mutants, wanted, {"healthy": silent, "poison": turned}) == ["saga-parked-turned"]
