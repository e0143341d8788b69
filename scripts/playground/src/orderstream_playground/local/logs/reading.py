"""The logs of a local environment, and what a query finds in them."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from orderstream_playground.local.logs.sql import sql
from orderstream_workers.runtime.topology.log_queries import LogQuery

_BEGIN: Final = '{"timestamp"'
"""Of a line of the log; lines of metrics, and what emulators print, begin otherwise."""

Row = tuple[str | float | int | None, ...]


def lines_in(folder: Path) -> Iterator[str]:
    """The lines of the log of all processes.

    Args:
        folder: Where each process has a file.
    """
    for file in sorted(folder.glob("*.log")):
        with file.open(encoding="utf-8", errors="replace") as text:
            # A process that was killed may leave a part of a line.
            yield from (line for line in text if line.startswith(_BEGIN) and line.endswith("}\n"))


def answer(query: LogQuery, lines: Iterable[str]) -> tuple[list[str], list[Row]]:
    """The columns and the rows that a query finds.

    Args:
        query: The question, with its placeholders replaced.
        lines: The lines that are asked, each a JSON object.
    """
    with closing(sqlite3.connect(":memory:")) as database:
        database.create_aggregate("quantile_cont", 2, _Quantile)  # type: ignore[arg-type] # typeshed's protocol
        database.execute("CREATE TABLE lines (line TEXT)")
        database.executemany("INSERT INTO lines VALUES (?)", ((line,) for line in lines))
        found = database.execute(sql(query))
        return [column for column, *_ in found.description], found.fetchall()


def asked(query: LogQuery, values: dict[str, str]) -> LogQuery:
    """A query with its placeholders replaced.

    Args:
        query: The question.
        values: By placeholder.
    """
    where = (
        replace(condition, values=tuple(values.get(value, value) for value in condition.values))
        for condition in query.where
    )
    return replace(query, where=tuple(where))


class _Quantile:
    """A quantile between the two values that are nearest, as DuckDB computes it."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._share = 0.0

    def step(self, value: float | None, share: float) -> None:
        self._share = share
        if value is not None:
            self._values.append(value)

    def finalize(self) -> float | None:
        return _quantile(sorted(self._values), self._share)


def _quantile(values: Sequence[float], share: float) -> float | None:
    if not values:
        return None
    index = share * (len(values) - 1)
    below = int(index)
    above = min(below + 1, len(values) - 1)
    return values[below] + (index - below) * (values[above] - values[below])
