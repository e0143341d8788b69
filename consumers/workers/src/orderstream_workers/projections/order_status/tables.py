"""The read model's tables, in SQL that SQLite and PostgreSQL both understand."""

import datetime as dt
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateIndex, CreateTable

from orderstream.errors import OrderstreamError


class UtcTime(TypeDecorator[dt.datetime]):
    """Times in UTC with their zone; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002 - the interface
        """To the database."""
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002 - the interface
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


_metadata: Final = MetaData()

ORDERS: Final = Table(
    "orders",
    _metadata,
    Column("order_id", Text, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("customer_id", Text),
    Column("total_minor", BigInteger),
    Column("currency", Text),
    Column("placed_at", UtcTime),
    Column("reserved_at", UtcTime),
    Column("paid_at", UtcTime),
    Column("shipped_at", UtcTime),
    Column("settled_at", UtcTime),
    Index("orders_by_state", "state"),
    Index("orders_by_settled_at", "settled_at"),
)
"""One row per order; see ``OrderStatus``."""

HISTORY: Final = Table(
    "history",
    _metadata,
    Column("order_id", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("correlation_id", Text),
    Column("causation_id", Text),
    Column("shard_id", Text, nullable=False),
    Column("sequence_number", Text, nullable=False),
    Column("subsequence_number", BigInteger, nullable=False),
    Column("arrived_at", UtcTime, nullable=False),
    Column("data", Text, nullable=False),
)
"""Every message once, as it was first read. Sequence numbers are text: they are too long for integers."""

UNREADABLE: Final = Table(
    "unreadable",
    _metadata,
    Column("shard_id", Text, primary_key=True),
    Column("sequence_number", Text, primary_key=True),
    Column("subsequence_number", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("arrived_at", UtcTime, nullable=False),
)
"""Records that could not be read, by position; the archive has their bytes."""


class ReadModelError(OrderstreamError):
    """The read model cannot be opened, or is none.

    Args:
        url: Its URL; the password is not shown.
        reason: Why not.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"the read model {url} cannot be used: {reason}; ORDERSTREAM_READ_MODEL_URL names the database "
            "that order status writes, such as sqlite:////data/read-model.sqlite"
        )


WRITES: Final = "orderstream_writes"
"""Execution option of a connection whose transactions write."""


def create_schema(engine: Engine) -> None:
    """Create what is missing of the tables; harmless when several processes do it at once."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for table in _metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))


def open_engine(url: str) -> Engine:
    """Open the read model's database.

    On SQLite: write-ahead log, so that readers never wait for the writer, and writing transactions take their
    lock at the beginning, since one that has read cannot take it any more after another has written.

    Args:
        url: SQLAlchemy URL, e.g. ``sqlite:///read-model.sqlite``.

    Raises:
        ReadModelError: it is no URL, or the driver that it asks for is not installed.
    """
    engine = _engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def open_to_read(url: str) -> Engine:
    """Open the read model's database to look at it: nothing is created, nothing is changed.

    Args:
        url: See ``open_engine``.

    Raises:
        ReadModelError: see ``open_engine``; or there is no such file.
    """
    engine = _engine(url)
    if engine.dialect.name == "sqlite":
        file = engine.url.database
        if file and file != ":memory:" and not Path(file).is_file():
            raise ReadModelError(shown_url(url), f"there is no file {file}")
        event.listen(engine, "connect", _look_only)
    return engine


def shown_url(url: str) -> str:
    """A URL as it may be shown: without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(no URL)"


def _engine(url: str) -> Engine:
    try:
        return create_engine(url)
    except ModuleNotFoundError as error:
        raise ReadModelError(shown_url(url), f"its driver {error.name} is not installed here") from error
    except ArgumentError as error:
        raise ReadModelError(shown_url(url), str(error).rstrip(".")) from error


def _look_only(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("query_only=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
