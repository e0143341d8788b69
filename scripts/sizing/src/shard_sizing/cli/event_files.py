"""Events from CSV and NDJSON, plain or in gzip; each mistake is named with its line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orderstream.rows import RowError, TimeColumn, read_rows
from shard_sizing.errors import InputError
from shard_sizing.model.sampling.sampler import Event

_ADVANCE_EVERY: Final = 50_000  # rows between two steps of the progress bar

LONGEST_KEY: Final = 256
"""Characters of a partition key (PutRecord's reference)."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns, or fields, that matter; without one for the size a row's own length counts."""

    key: str
    timestamp: str
    size: str | None


def event_rows(
    source: Path,
    columns: Columns,
    advance: Callable[[float], None],
    long_key: Callable[[int], None] = lambda _: None,
) -> Iterator[Event]:
    """Yield a file's events.

    Args:
        source: The file, or ``-`` for stdin; CSV has a header, NDJSON begins with a brace.
        columns: Where to find what.
        advance: Receives how many more bytes were read, about.
        long_key: Receives the line of each key that is longer than Kinesis takes; it is counted as it is.

    Raises:
        InputError: The file cannot be read, lacks a column, or a row has no number or time where one belongs.
    """
    name = "standard input" if str(source) == "-" else str(source)
    opened = open(0, "rb", closefd=False) if str(source) == "-" else source  # noqa: SIM115 - no path
    wanted = [columns.key, columns.timestamp, *([columns.size] if columns.size else [])]
    try:
        with read_rows(opened, name, wanted, sized=columns.size is None) as table:
            seconds, sized, width, told = TimeColumn().seconds, columns.size is not None, table.width, 0
            for number, (line, values, own_size, fields) in enumerate(table.rows, 1):
                if fields != width:
                    raise InputError(name, f"line {line} has {fields} fields, the header {width}")
                try:
                    size = _size(values[2]) if sized else own_size
                    key = values[0] if isinstance(values[0], str) else str(values[0])
                    if len(key) > LONGEST_KEY:
                        long_key(line)
                    yield key, seconds(values[1]), size
                except ValueError as error:
                    raise InputError(name, f"line {line}: {error}") from error
                if number % _ADVANCE_EVERY == 0:
                    read = table.bytes_read()
                    advance(read - told)
                    told = read
    except RowError as error:
        raise InputError(error.source, str(error).removeprefix(f"{error.source}: ")) from error


def _size(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no number of bytes") from None
