"""How operators' commands lay out what they show: columns with heads, lines that wrap between words.

On a terminal nothing is wider than it. Where the output goes into a file or a pipe, a line stays whole, so
that it can be searched.
"""

import datetime as dt
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Final

import msgspec

_GAP: Final = "  "


def width() -> int | None:
    """Columns of the terminal; None where the output is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def wrapped(text: str, indent: int = 0, hang: int = 4, columns: int | None = None) -> str:
    """Wrap text between words, line by line.

    Args:
        text: What to show.
        indent: Spaces before each line.
        hang: More spaces before what continues a line.
        columns: Width; None takes the terminal's, and wraps nothing where there is none.
    """
    columns = columns or width()
    first = " " * indent
    if columns is None:
        return "\n".join(first + line for line in text.splitlines())
    return "\n".join(
        textwrap.fill(
            line,
            width=columns,
            initial_indent=first,
            subsequent_indent=first + " " * hang,
            # A key or a path is worth more whole than a straight margin.
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        for line in text.splitlines()
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out in columns under their heads; each column is as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        _GAP.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *rows)
    ]


def as_json(value: object) -> str:
    """What a program reads: JSON, with times in RFC 3339."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()


def age(since: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in the two largest units: ``"2d 3h"``, ``"5m 10s"``; never below ``"0s"``."""
    seconds = max(int((now - since).total_seconds()), 0)
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def printable(text: str) -> str:
    """Text from outside, safe for a terminal: whatever is no printable character is escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
