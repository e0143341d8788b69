import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = sorted(
    path.parent
    for path in ROOT.glob("*/*/pyproject.toml")
    if "project" in tomllib.loads(path.read_text()) and not path.parent.name.startswith(".")
)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_distribution_carries_the_licence_it_names(distribution: Path) -> None:
    """The file is the repository's own, so that it travels in each wheel."""
    project = tomllib.loads((distribution / "pyproject.toml").read_text())["project"]
    assert (project["license"], project["license-files"]) == ("MIT", ["LICENSE"])
    assert (distribution / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
