"""The simulation has teeth: it finds every defect that is planted in a copy of the package."""

import shutil
from pathlib import Path

import pytest

from planted.bug import Bug
from planted.run import PACKAGES, SUITES, TESTS, Suite, hunt

PRODUCER = SUITES["producer"]
EVERY = [bug for suite in SUITES.values() for bug in suite.bugs]


@pytest.mark.parametrize("bug", PRODUCER.bugs, ids=lambda bug: bug.name)
def test_a_planted_defect_is_found_and_its_seed_named(bug: Bug) -> None:
    """Within 1,000 seeds, most within a handful; the shipped modules stay as they are."""
    assert (hunt(PRODUCER, bug).found or "").startswith("seed ")


def test_without_a_defect_nothing_is_found() -> None:
    """The copy as such passes: what is found is the defect."""
    first = PRODUCER.bugs[0]
    none = first._replace(name="none", wrong=first.right)
    assert hunt(Suite((none,), (*PRODUCER.hunt[:-1], "20")), none).found is None


def test_every_defect_is_found_in_the_code(tmp_path: Path) -> None:
    """A module that moves on takes its planted defects along."""
    for package in PACKAGES:
        shutil.copytree(package, tmp_path / package.name)
    for bug in EVERY:
        before = (tmp_path / bug.module).read_text()
        bug.plant(tmp_path)
        (tmp_path / bug.module).write_text(before)


def test_every_defect_is_hunted_by_tests_that_are_there() -> None:
    """A path that leads nowhere would end the whole run, at that defect."""
    for suite in SUITES.values():
        for bug in suite.bugs:
            assert suite.hunt or bug.tests
            assert [path for path in bug.tests.split() if not (TESTS.parent / path).exists()] == []
