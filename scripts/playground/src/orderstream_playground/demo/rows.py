"""Reads the rows of a file of orders, and says of a file that cannot be read where and why."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orderstream.rows import RowError, read_rows
from orderstream_playground.demo.errors import OrderFileError


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
        path: CSV or NDJSON, plain or in gzip, UTF-8; CSV has a header.
        columns: The columns that it must have; others are left out.

    Raises:
        OrderFileError: there, and while rows are read: the file is missing, cut, not UTF-8, no table, or
            lacks a column.
    """
    try:
        with read_rows(path, str(path), columns) as table:
            yield (
                Row(
                    row.line,
                    {column: _text(value) for column, value in zip(columns, row.values, strict=True)},
                    max(0, row.fields - table.width),
                )
                for row in table.rows
            )
    except RowError as error:
        raise OrderFileError(str(path), str(error).removeprefix(f"{path}: ")) from error


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
