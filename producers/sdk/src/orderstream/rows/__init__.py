"""Reads tables of events from CSV and NDJSON: one reader for every command that takes a file.

A file is read row by row, plain or in gzip, from a path or from standard input, and a row that cannot be used
is named by the line that an editor shows. Nothing is guessed in silence: columns of the same name, a quote
that is never closed and times of mixed units are errors.
"""

from orderstream.rows.errors import RowError
from orderstream.rows.table import Row, read_rows
from orderstream.rows.times import TimeColumn

__all__ = ["Row", "RowError", "TimeColumn", "read_rows"]
