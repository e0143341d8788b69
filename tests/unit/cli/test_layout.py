"""How operators' commands lay out what they show."""

import datetime as dt

import pytest

from fakes.operating import NOW
from orderstream_workers.cli.layout import age, printable, table, wrapped


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3_725, "1h 2m"), (90_061, "1d 1h")],
)
def test_an_age_has_at_most_two_units(seconds: int, shown: str) -> None:
    """Short enough for a list; a clock that is a little behind shows no negative age."""
    assert age(NOW - dt.timedelta(seconds=seconds), NOW) == shown


def test_text_from_outside_cannot_act_on_a_terminal() -> None:
    """Control characters and line breaks are escaped, other text stays as it is."""
    assert printable("Grüße \x1b[2J\n\u202e") == "Grüße \\x1b[2J\\n\\u202e"


def test_lines_wrap_between_words_under_their_own_indent() -> None:
    """Nothing is broken inside a word, what continues a line is indented deeper, and a key stays whole."""
    key = "k" * 50
    text = f"inventory {key} because the units are not whole"
    lines = wrapped(text, indent=4, columns=40).splitlines()
    assert lines[0] == "    inventory"
    assert lines[1] == "        " + key
    assert all(len(line) <= 40 for line in lines if key not in line)
    assert " ".join(" ".join(lines).split()) == text


def test_what_goes_into_a_file_is_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    """A line that is searched for stays one line."""
    assert wrapped("word " * 60) == "word " * 60


def test_a_row_that_is_wider_than_the_terminal_is_broken_between_columns() -> None:
    """Heads and rows break between the same two columns, and no cell is broken in the middle."""
    rows = [("inventory", "k" * 20, "discard", "root"), ("saga", "k", "redrive", "somebody")]
    assert table(("APPLICATION", "KEY", "ACTION", "OPERATOR"), rows, columns=36) == [
        "APPLICATION  KEY\n    ACTION   OPERATOR",
        f"inventory    {'k' * 20}\n    discard  root",
        "saga         k\n    redrive  somebody",
    ]
    assert table(("KEY", "BEHIND"), [("k" * 50, "0")], columns=20) == [
        "KEY\n    BEHIND",
        f"{'k' * 50}\n    0",
    ]


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    """Each under its head, and no blanks at the end of a line."""
    assert table(("KEY", "BEHIND"), [("a-long-key", "0"), ("b", "12")]) == [
        "KEY         BEHIND",
        "a-long-key  0",
        "b           12",
    ]
