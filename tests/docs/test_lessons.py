"""Every lesson says which test holds its kind now, and that test is there."""

from pathlib import Path

import pytest

from docs.named import named_tests

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "lessons.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| id ")
]


def test_the_lessons_are_read() -> None:
    """Each in four cells, none of them empty, and none told twice."""
    assert len(ROWS) > 100
    assert {len(row) for row in ROWS} == {4}
    assert all(cell for row in ROWS for cell in row)
    assert len({tuple(row) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("path", sorted({path for row in ROWS for path in named_tests(row[3])}))
def test_what_is_named_is_there(path: str) -> None:
    """A test that was moved or given up leaves a lesson that can be forgotten."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1][:40]}")
def test_each_lesson_names_what_holds_it(row: list[str]) -> None:
    """A test, or a sentence that says why there is none."""
    assert named_tests(row[3]) or "make " in row[3] or row[3].startswith(("None:", "The operations guide"))
