"""Spans in a SQLite file, found by the order that they are about."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from orderstream_workers.operations.order_trace import ORDER_ID, StoredSpan

MOST: Final = 500_000
"""Spans that are kept: some 15,000 orders, 400 MB. Beyond it the oldest go."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS spans (
    number INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, order_id TEXT, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS spans_of_trace ON spans (trace_id);
CREATE INDEX IF NOT EXISTS spans_of_order ON spans (order_id) WHERE order_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS links (
    trace_id TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (trace_id, number)
) WITHOUT ROWID;
"""
_OF_ORDER: Final = """
WITH own AS (SELECT DISTINCT trace_id FROM spans WHERE order_id = ?)
SELECT content FROM spans WHERE trace_id IN own
   OR number IN (SELECT number FROM links WHERE trace_id IN own)
ORDER BY number
"""


class SpanStore:
    """Keeps spans. Safe to use from many threads.

    Args:
        file: The file; made if it is not there.
        most: Spans that are kept, at least 1.
    """

    def __init__(self, file: Path, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False)
        # Spans are no books: what a crash of the machine takes is not missed.
        self._database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_SCHEMA}")

    def __enter__(self) -> Self:
        """Use the store."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        with self._lock:
            self._database.close()

    def add(self, spans: Sequence[StoredSpan]) -> None:
        """Keep spans."""
        with self._lock, self._database:
            for span in spans:
                cursor = self._database.execute(
                    "INSERT INTO spans (trace_id, order_id, content) VALUES (?, ?, ?)",
                    (span.trace_id, span.attributes.get(ORDER_ID), msgspec.json.encode(span)),
                )
                linked = {trace_id for trace_id, _ in span.links if trace_id != span.trace_id}
                self._database.executemany(
                    "INSERT INTO links VALUES (?, ?)", [(trace_id, cursor.lastrowid) for trace_id in linked]
                )
            newest = self._database.execute("SELECT max(number) FROM spans").fetchone()[0] or 0
            for table in ("spans", "links"):
                self._database.execute(f"DELETE FROM {table} WHERE number <= ?", (newest - self._most,))  # noqa: S608

    def of_order(self, order_id: str) -> list[StoredSpan]:
        """The spans of the traces that an order is in, and those of other traces that link to them."""
        with self._lock:
            rows = self._database.execute(_OF_ORDER, (order_id,)).fetchall()
        return [msgspec.json.decode(content, type=StoredSpan) for (content,) in rows]
