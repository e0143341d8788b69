"""Events from CSV and NDJSON, plain or in gzip, each mistake told with its row."""

import csv
import gzip
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from shard_sizing.errors import InputError
from shard_sizing.model.sampling import Event

_ADVANCE_EVERY: Final = 50_000  # rows between two steps of the progress bar


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns, or fields, that matter; without one for the size a row's own length counts."""

    key: str
    timestamp: str
    size: str | None


def event_rows(source: Path, columns: Columns, advance: Callable[[float], None]) -> Iterator[Event]:
    """Yield a file's events.

    Args:
        source: The file, or ``-`` for stdin; CSV has a header, NDJSON begins with a brace.
        columns: Where to find what.
        advance: Is told how many more bytes were read, about.

    Raises:
        InputError: The file cannot be read, lacks a column, or a row has no number or time where one belongs.
    """
    try:
        with _opened(source) as lines:
            first = lines.readline()
            if first.lstrip().startswith("{"):
                rows = _json_rows(chain([first], lines), columns)
            else:
                rows = _csv_rows(first, lines, columns, str(source))
            yield from _events(rows, str(source), advance)
    except (OSError, UnicodeDecodeError, csv.Error, msgspec.DecodeError) as error:
        raise InputError(str(source), f"cannot be read: {error}") from error


Row = tuple[str, Any, Any]
"""Key, time and size as they stand in the file; the size may be the row's own length."""


def _events(rows: Iterator[Row], source: str, advance: Callable[[float], None]) -> Iterator[Event]:
    zone: bool | None = None
    number = read = 0
    try:
        for number, (key, when, bytes_told) in enumerate(rows, 1):
            size = int(bytes_told)
            try:
                seconds = float(when)
                if not isfinite(seconds):
                    raise InputError(source, f"row {number}: {when} is no time")
                yield key, seconds, size
            except ValueError:
                at = datetime.fromisoformat(when)
                zoned = at.tzinfo is not None
                if zone is None:
                    zone = zoned
                elif zone != zoned:
                    raise InputError(
                        source, f"row {number}: times with and without a zone are mixed; use one kind"
                    ) from None
                # Times without a zone are read as UTC: only their distances matter.
                yield key, (at if zoned else at.replace(tzinfo=UTC)).timestamp(), size
            read += size
            if number % _ADVANCE_EVERY == 0:
                advance(read)
                read = 0
    except (msgspec.DecodeError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(source, f"row {number + 1} cannot be read: {error}") from error
    except KeyError as error:
        raise InputError(source, f"row {number + 1} has no field {error}") from error
    except (TypeError, ValueError) as error:
        raise InputError(source, f"row {max(1, number)}: {error}") from error


def _csv_rows(first: str, lines: IO[str], columns: Columns, source: str) -> Iterator[Row]:
    names: Sequence[str] = next(csv.reader([first]), [])
    if not names:
        return
    for name in (columns.key, columns.timestamp, *([columns.size] if columns.size else [])):
        if name not in names:
            raise InputError(source, f"it has no column {name!r}; it has {', '.join(names)}")
    key, when = names.index(columns.key), names.index(columns.timestamp)
    size = names.index(columns.size) if columns.size else None
    for number, values in enumerate(csv.reader(lines), 1):
        if len(values) <= max(key, when, size or 0):
            raise InputError(source, f"row {number} has {len(values)} columns, the header {len(names)}")
        yield values[key], values[when], sum(map(len, values)) + len(values) if size is None else values[size]


def _json_rows(lines: Iterator[str], columns: Columns) -> Iterator[Row]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for line in lines:
        if line.strip():
            row = decode(line)
            # A row's key is part of what Kinesis counts, and a serialised row holds it already.
            size = len(line.rstrip()) if columns.size is None else row[columns.size]
            yield str(row[columns.key]), row[columns.timestamp], size


def _opened(source: Path) -> IO[str]:
    if str(source) == "-":
        return sys.stdin
    if source.suffix == ".gz":
        return gzip.open(source, "rt", encoding="utf-8", newline="")
    return source.open(encoding="utf-8", newline="")
