"""The size of rooms and files, and names that say nothing: held over every file that git keeps."""

import subprocess
from collections import Counter
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[3]
SAYS_NOTHING: Final = {"utils", "util", "common", "helpers", "helper", "misc", "shared"}


def python_files() -> list[Path]:
    """Every Python file that git keeps, relative to the repository."""
    kept = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [path for path in map(Path, kept.splitlines()) if (ROOT / path).exists()]


def test_no_package_has_more_than_15_modules_in_one_flat_folder() -> None:
    """More than fifteen files side by side do not say what rests on what: they want rooms."""
    modules = Counter(
        path.parent for path in python_files() if "src" in path.parts and path.name != "__init__.py"
    )
    assert len(modules) > 30
    assert {str(folder): count for folder, count in modules.items() if count > 15} == {}


def test_no_file_is_longer_than_400_lines() -> None:
    """One concept a file."""
    lines = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in python_files()
    }
    assert {path: count for path, count in lines.items() if count > 400} == {}


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    """What has no name has no concept."""
    named = {part.removesuffix(".py") for path in python_files() for part in path.parts}
    assert named & SAYS_NOTHING == set()
