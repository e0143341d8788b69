"""Reads the rows of a CSV file, plain or compressed, and says of a file that cannot be read where and why."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from orderstream_workers.demo.errors import OrderFileError

_MAX_LINE: Final = 65_536
"""Characters of one line that are read into memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: The line of the file that it ends in, counted from 1.
        fields: The text of each column, without white space around it; empty where the row is too short.
        surplus: Fields behind the last column.
    """

    number: int
    fields: Mapping[str, str]
    surplus: int


@contextmanager
def rows_of(path: Path, columns: Sequence[str]) -> Iterator[Iterator[Row]]:
    """Read a file row by row; memory is bounded by one row.

    Args:
        path: ``.csv`` or ``.csv.gz``, UTF-8, with a header.
        columns: The columns that it must have; others are left out.

    Raises:
        OrderFileError: there, and while rows are read: the file is missing, cut, not UTF-8, no CSV, or lacks
            a column.
    """
    with _opened(path) as text:
        lines = _Lines(text)
        with _explained(path, lines):
            # Strict, since a quote that is never closed would silently swallow the rest of the file.
            reader = csv.DictReader(lines, strict=True)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise OrderFileError(str(path), f"lacks the columns {', '.join(missing)}")
            yield (_row(reader.line_num, fields, columns) for fields in reader)


def _row(number: int, fields: Mapping[str | None, str | list[str] | None], columns: Sequence[str]) -> Row:
    # DictReader keeps what stands behind the last column under None, and gives None for what is not there.
    return Row(
        number,
        {column: str(fields[column] or "").strip() for column in columns},
        len(fields.get(None) or ()),
    )


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise OrderFileError(str(path), "there is no such file") from error
    except OSError as error:
        raise OrderFileError(str(path), f"cannot be opened ({error.strerror})") from error
    with ExitStack() as stack:
        stack.enter_context(file)
        content = stack.enter_context(gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
        yield stack.enter_context(io.TextIOWrapper(content, encoding="utf-8-sig", newline=""))


class _Lines:
    """The lines of a text, counted; one without end is not read into memory.

    Args:
        text: The text.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(_MAX_LINE):
            self.read += 1
            if len(line) == _MAX_LINE:
                raise csv.Error(f"it has {_MAX_LINE:,} characters or more")
            yield line


@contextmanager
def _explained(path: Path, lines: _Lines) -> Iterator[None]:
    """Turn what reading fails with into one sentence that names the line."""
    try:
        yield
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text after line {lines.read} ({error.reason}); convert it first"
        raise OrderFileError(str(path), reason) from error
    except (EOFError, OSError, zlib.error) as error:
        kind = "is a broken gzip file" if path.suffix == ".gz" else "cannot be read"
        raise OrderFileError(
            str(path), f"{kind} after line {lines.read} ({error}); fetch it again"
        ) from error
    except csv.Error as error:
        raise OrderFileError(str(path), f"is not a CSV file at line {lines.read} ({error})") from error
