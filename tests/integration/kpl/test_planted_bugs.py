"""The simulation has teeth: it finds every defect that is planted in a copy of the package."""

import shutil
from pathlib import Path

import pytest
from planted.bugs import BUGS, Bug

from planted.run import PACKAGE, look, plant


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_defect_is_found_and_its_seed_named(bug: Bug, tmp_path: Path) -> None:
    """Within 1,000 seeds, most within a handful; the shipped modules stay as they are."""
    shutil.copytree(PACKAGE, tmp_path / "orderstream")
    plant(bug, tmp_path)
    assert (look(tmp_path) or "").startswith("seed ")


def test_without_a_defect_nothing_is_found(tmp_path: Path) -> None:
    """The copy as such passes: what is found is the defect."""
    shutil.copytree(PACKAGE, tmp_path / "orderstream")
    assert look(tmp_path, seeds=20) is None
