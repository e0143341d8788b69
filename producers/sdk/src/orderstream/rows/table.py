"""Rows of a table, from CSV with a header or from NDJSON."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from orderstream.rows.errors import RowError
from orderstream.rows.text import MAX_LINE_CHARACTERS, Lines, opened_lines

MAX_ROW_LINES: Final = 100
"""Most lines of one CSV row.

A quote that is opened by mistake swallows rows until the next one; a text with as many line ends is rarer."""


class Row(NamedTuple):
    """One row.

    Attributes:
        line: The line of the file that it ends in, counted from 1 as editors do.
        values: The values of the columns that were asked for, in that order: text from CSV (empty where
            the row is too short), any JSON value from NDJSON.
        size: Bytes of the row in UTF-8, without its line end; 0 if it was not requested.
        fields: Fields of a CSV row, to be compared with ``Table.width``; equal to it for NDJSON.
    """

    line: int
    values: Sequence[Any]
    size: int
    fields: int


class Table(NamedTuple):
    """An open table.

    Attributes:
        width: Columns of the CSV header; the number of asked columns for NDJSON.
        rows: Its rows; can be read once.
        bytes_read: Returns how many bytes of the (compressed) file were read; 0 where that is unknown.
    """

    width: int
    rows: Iterator[Row]
    bytes_read: Callable[[], int]


@contextmanager
def read_rows(
    source: Path | BufferedReader, name: str, columns: Sequence[str], *, sized: bool = True
) -> Iterator[Table]:
    """Open a table and read it row by row; memory is bounded by one row.

    Args:
        source: A path, or an open binary file such as ``sys.stdin.buffer``. CSV has a header, NDJSON begins
            with a brace; gzip is recognised.
        name: What to call it in errors.
        columns: The columns whose values are wanted; all others are passed over.
        sized: Whether the sizes of rows are wanted; counting those of CSV takes time.

    Yields:
        The table. Rows with too few or surplus fields are given as they are: the caller decides.

    Raises:
        RowError: there, or while rows are read: the file cannot be read, is no CSV or NDJSON, lacks a
            column or has two of one name, or a row lacks a member.
    """
    with opened_lines(source, name) as lines:
        text = iter(lines)
        first = next(text, "")
        if first.lstrip().startswith("{"):
            yield Table(
                len(columns), _json_rows(chain([first], text), lines, name, columns), lines.bytes_read
            )
        else:
            # A field may be as large as a record; csv's own limit of 128 KiB is not.
            csv.field_size_limit(MAX_LINE_CHARACTERS)
            names = _header(first, name, columns)
            indexes = [names.index(column) for column in columns]
            yield Table(len(names), _csv_rows(text, lines, name, indexes, sized=sized), lines.bytes_read)


def _header(first: str, name: str, columns: Sequence[str]) -> list[str]:
    try:
        names = [field.strip() for field in next(csv.reader([first], strict=True), [])]
    except csv.Error as error:
        raise RowError(name, f"the header is not CSV ({error})", 1) from error
    missing = [column for column in columns if column not in names]
    if missing:
        found = f"it has {', '.join(names)}" if any(names) else "it is empty"
        raise RowError(name, f"it has no column {', '.join(map(repr, missing))}; {found}")
    for column in columns:
        if names.count(column) > 1:
            raise RowError(name, f"it has {names.count(column)} columns named {column!r}; rename all but one")
    return names


def _csv_rows(
    text: Iterator[str], lines: Lines, name: str, indexes: Sequence[int], *, sized: bool
) -> Iterator[Row]:
    last = max(indexes, default=-1)
    # One lookup for all columns; of a single one it would give the value and no sequence.
    pick = itemgetter(*indexes) if len(indexes) > 1 else lambda fields: [fields[index] for index in indexes]
    row, before, size = partial(tuple.__new__, Row), lines.number, 0  # a row a million times: no detour
    try:
        for fields in csv.reader(text, strict=True):
            line = lines.number
            if line - before > MAX_ROW_LINES:
                problem = f"this row goes on for {line - before} lines; close the quote that it opens"
                raise RowError(name, problem, before + 1)
            before = line
            if not fields:
                continue  # an empty line is no row
            count = len(fields)
            if last < count:
                values = pick(fields)
            else:
                values = [fields[index] if index < count else "" for index in indexes]
            if sized:
                joined = ",".join(fields)
                size = len(joined) if joined.isascii() else len(joined.encode())
            yield row((line, values, size, count))
    except csv.Error as error:
        problem = f"it is not CSV ({error}); look for a stray quote"
        raise RowError(name, problem, before + 1) from error


def _json_rows(text: Iterator[str], lines: Lines, name: str, columns: Sequence[str]) -> Iterator[Row]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for line in text:
        row = line.strip()
        if not row:
            continue
        try:
            decoded = decode(row)
            values = [decoded[column] for column in columns]
        except msgspec.DecodeError as error:
            raise RowError(name, f"it is not a JSON object ({error})", lines.number) from error
        except KeyError as error:
            raise RowError(name, f"it has no member {error}", lines.number) from error
        yield Row(lines.number, values, len(row) if row.isascii() else len(row.encode()), len(columns))
