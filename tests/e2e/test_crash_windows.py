"""Processes die in some of their named windows, and the books balance; `make crash-windows` has them all."""

from pathlib import Path

import pytest

from chaos.crash_windows import Scenario, flow, play, release, reservation

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize(
    "scenario",
    [flow(most=80, each=2), reservation(slice(0, None, 12)), release(slice(0, None, 12))],
    ids=lambda scenario: scenario.name,
)
def test_a_crash_in_a_window_changes_nothing_in_the_end(tmp_path: Path, scenario: Scenario) -> None:
    """Each window is hit, every order ends once, nobody pays twice, and nothing is passed over unrecorded."""
    outcome = play(scenario, tmp_path)
    assert [f"{window.process}: {window.name}" for window in outcome.missed] == []
    assert outcome.balanced, outcome.printed
