"""Events from CSV and NDJSON, plain or in gzip; each mistake is named with its line."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from orderstream.rows import Row, RowError, TimeColumn, read_rows
from shard_sizing.errors import InputError
from shard_sizing.model.sampling.sampler import BATCH, Event, Events, events_of

_AT_ONCE: Final = 100  # rows: so few stay in the processor's cache
_LARGEST: Final = 2**40  # bytes: a slip in the column, and numbers beyond overflow

LONGEST_KEY: Final = 256
"""Characters of a partition key (PutRecord's reference)."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns, or fields, that matter; without one for the size a row's own length counts."""

    key: str
    timestamp: str
    size: str | None


def event_batches(
    source: Path,
    columns: Columns,
    advance: Callable[[float], None],
    long_key: Callable[[int], None] = lambda _: None,
) -> Iterator[Events]:
    """Yield a file's events, many at a time.

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
            reader, told = _RowReader(name, table.width, long_key, sized=columns.size is not None), 0
            while parts := list(reader.parts(islice(table.rows, BATCH))):
                keys = list(chain.from_iterable(part.keys for part in parts))
                times, sizes = (np.concatenate([part[column] for part in parts]) for column in (1, 2))
                yield Events(keys, times, sizes)
                advance(table.bytes_read() - told)
                told = table.bytes_read()
    except RowError as error:
        raise InputError(error.source, str(error).removeprefix(f"{error.source}: ")) from error


class _RowReader:
    """Makes events of rows: column by column where all are as they should be, else one by one.

    Args:
        name: What to call the file in errors.
        width: Fields of each row.
        long_key: As in ``event_batches``.
        sized: Whether rows have a column for the size.
    """

    def __init__(self, name: str, width: int, long_key: Callable[[int], None], *, sized: bool) -> None:
        self._name = name
        self._width = width
        self._long_key = long_key
        self._sized = sized
        self._times = TimeColumn()

    def parts(self, rows: Iterator[Row]) -> Iterator[Events]:
        """Yield the events of rows, in small parts."""
        while some := list(islice(rows, _AT_ONCE)):
            yield self._events(some)

    def _events(self, rows: Sequence[Row]) -> Events:
        _, values, own_sizes, fields = zip(*rows, strict=True)
        if set(fields) == {self._width}:
            keys, stamps, *rest = zip(*values, strict=True)
            usual = set(map(type, keys)) == {str} and len(max(keys, key=len)) <= LONGEST_KEY
            times = self._times.all_seconds(stamps) if usual else None
            sizes = _sizes(rest[0]) if self._sized else own_sizes
            if times is not None and sizes is not None:
                return events_of(keys, times, sizes)
        return events_of(*zip(*map(self._event, rows), strict=True))

    def _event(self, row: Row) -> Event:
        line, values, own_size, fields = row
        if fields != self._width:
            raise InputError(self._name, f"line {line} has {fields} fields, the header {self._width}")
        try:
            size = _size(values[2]) if self._sized else own_size
            key = values[0] if isinstance(values[0], str) else str(values[0])
            if len(key) > LONGEST_KEY:
                self._long_key(line)
            return key, self._times.seconds(values[1]), size
        except ValueError as error:
            raise InputError(self._name, f"line {line}: {error}") from error


def _sizes(values: Sequence[Any]) -> list[int] | None:
    try:
        sizes = list(map(int, values))
    except (TypeError, ValueError, OverflowError):
        return None
    return sizes if max(sizes) <= _LARGEST else None


def _size(value: Any) -> int:
    try:
        size = int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{value!r} is no number of bytes") from None
    if size > _LARGEST:
        raise ValueError(f"{value} bytes are more than any record has")
    return size
