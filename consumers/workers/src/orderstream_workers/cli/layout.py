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
_CONTINUED: Final = " " * 4


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


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], columns: int | None = None) -> list[str]:
    """Lay rows out in columns under their heads; each column is as wide as its widest cell.

    Args:
        heads: The titles of the columns.
        rows: The cells of each row.
        columns: Width of the terminal; None takes its own. Where a row is wider, it is broken between the
            same two columns as the heads, and what continues it is indented.

    Returns:
        The heads, then one text a row.
    """
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    groups = _fitting(widths, columns or width())
    return [
        f"\n{_CONTINUED}".join(
            _GAP.join(row[index].ljust(widths[index]) for index in group).rstrip() for group in groups
        )
        for row in (heads, *rows)
    ]


def _fitting(widths: Sequence[int], columns: int | None) -> list[list[int]]:
    """Distribute columns over lines: as many to a line as fit, and at least one."""
    groups: list[list[int]] = []
    used = 0
    for index, size in enumerate(widths):
        needed = used + len(_GAP) + size
        if groups and (columns is None or needed <= columns):
            groups[-1].append(index)
            used = needed
        else:
            used = size + (len(_CONTINUED) if groups else 0)
            groups.append([index])
    return groups


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
