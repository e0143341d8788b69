"""Decisions keep their form: number, date, status, reasons and the alternatives that were rejected."""

import datetime as dt
import re
from pathlib import Path

import pytest

DECISIONS = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
SECTIONS = ("Decided", "Why", "What follows", "Rejected")
_HEAD = re.compile(r"# (\d{4}): .+\n\n- Date: (\d{4}-\d\d-\d\d)\n- Status: (.+)\n\n")
_STATUS = re.compile(r"accepted|superseded by \[(\d{4})\]\((.+\.md)\)")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_decision_has_its_form(record: Path) -> None:
    """Title with the file's number, date, status and every section; a successor exists."""
    text = record.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    assert head is not None
    assert record.name.startswith(f"{head[1]}-")
    dt.date.fromisoformat(head[2])
    status = _STATUS.fullmatch(head[3])
    assert status is not None
    assert status[1] is None or (status[2].startswith(status[1]) and (DECISIONS / status[2]).is_file())
    assert [name for name in SECTIONS if f"\n**{name}" not in text] == []


def test_decisions_are_numbered_and_listed() -> None:
    """No number is missing or used twice, and the index names every record."""
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\[\d{4}\]\((.+?)\)", index) == [record.name for record in RECORDS]
