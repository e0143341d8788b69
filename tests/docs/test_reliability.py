"""Every promise of the reliability guide names what tests it, and that is there."""

import re
from pathlib import Path

import pytest

from docs.named import named_tests

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "reliability.md").read_text()
PROMISES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GUIDE.splitlines()
    if line.startswith("| ") and not line.startswith("| promise ")
]
WINDOWS = (ROOT / "tests" / "chaos" / "windows.py").read_text()
TARGETS = (ROOT / "Makefile").read_text()


def test_the_guide_is_read() -> None:
    """A table that is laid out otherwise would leave nothing to check."""
    assert len(PROMISES) > 20
    assert {len(promise) for promise in PROMISES} == {3}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[0][:60])
def test_each_promise_names_a_test(promise: list[str]) -> None:
    """A test file, a folder of them, or a run of chaos."""
    assert named_tests(promise[2]) or "make " in promise[2]


@pytest.mark.parametrize("path", sorted(set(named_tests(GUIDE))))
def test_what_is_named_is_there(path: str) -> None:
    """A test that was moved or given up leaves a promise that nothing holds."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize("window", sorted(set(re.findall(r"\*([a-zK][^*]+)\*(?=[, of;]|$)", GUIDE))))
def test_named_windows_are_killed_in(window: str) -> None:
    """The windows of ``make crash-windows`` have these names."""
    assert f'"{window}' in WINDOWS


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", GUIDE))))
def test_named_runs_can_be_started(target: str) -> None:
    """Whoever wants to see a promise held types what the guide says."""
    assert re.search(rf"^{target}:", TARGETS, re.MULTILINE)
