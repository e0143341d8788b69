"""Queries of the logs as DuckDB answers them: a second opinion."""

from collections.abc import Iterable, Iterator
from typing import Any

import duckdb

from orderstream_playground.local.logs.sql import sql
from orderstream_workers.runtime.topology.log_queries import LogQuery


def duckdb_rows(query: LogQuery, lines: Iterable[str]) -> list[tuple[Any, ...]]:
    """The rows that a query finds."""
    with duckdb.connect() as database:
        database.execute("CREATE TABLE lines (line JSON)")
        database.execute("INSERT INTO lines SELECT unnest(?::JSON[])", [list(lines)])
        return database.execute(sql(query)).fetchall()


def flat(line: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The names of all fields of a line, those of objects with a dot."""
    for name, value in line.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")


def rounded(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Rows to be compared: two engines add up floats in their own ways."""
    return sorted(
        str([round(value, 6) if isinstance(value, float) else value for value in row]) for row in rows
    )
