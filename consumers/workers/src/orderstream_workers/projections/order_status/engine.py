"""Opens the read model's database: one SQLite file, or a PostgreSQL server that several machines reach.

What differs between the two is here and in ``schema``; everything else is SQL that both understand.
"""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from orderstream.errors import OrderstreamError
from orderstream_workers.projections.order_status.credentials import RotatingCredentials
from orderstream_workers.projections.order_status.postgresql import (
    is_here,
    prepare_postgresql,
    server_arguments,
)


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
            "that order status writes, such as sqlite:////data/read-model.sqlite or "
            "postgresql+psycopg://HOST:5432/orderstream"
        )


WRITES: Final = "orderstream_writes"
"""Execution option of a connection whose transactions write."""


def open_engine(url: str, credentials: RotatingCredentials | None = None) -> Engine:
    """Open the read model's database.

    On SQLite: write-ahead log, so that readers never wait for the writer, and writing transactions take their
    lock at the beginning, since one that has read cannot take it any more after another has written. On
    PostgreSQL: see ``postgresql``.

    Args:
        url: SQLAlchemy URL, e.g. ``sqlite:///read-model.sqlite``.
        credentials: User and password, of a server; None leaves them to the URL and to libpq's own means.

    Raises:
        ReadModelError: it is no URL, the driver that it asks for is not installed, or it holds the password
            of a database on another machine.
    """
    engine = _engine(url, credentials)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def open_to_read(url: str, credentials: RotatingCredentials | None = None) -> Engine:
    """Open the read model's database to look at it: nothing is created, nothing is changed.

    Args:
        url: See ``open_engine``.
        credentials: See ``open_engine``.

    Raises:
        ReadModelError: see ``open_engine``; or there is no such file.
    """
    engine = _engine(url, credentials, read_only=True)
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


def _engine(url: str, credentials: RotatingCredentials | None, *, read_only: bool = False) -> Engine:
    try:
        parsed = make_url(url)
        _refuse_plain_password(parsed)
        on_server = parsed.get_backend_name() == "postgresql"
        engine = create_engine(url, **(server_arguments(parsed, read_only=read_only) if on_server else {}))
    except ModuleNotFoundError as error:
        raise ReadModelError(shown_url(url), f"its driver {error.name} is not installed here") from error
    except ArgumentError as error:
        raise ReadModelError(shown_url(url), str(error).rstrip(".")) from error
    if on_server:
        prepare_postgresql(engine, credentials)
    return engine


def _refuse_plain_password(url: URL) -> None:
    """A password in the environment is visible to all who may describe a task, and in crash reports."""
    if url.password is not None and not is_here(url):
        raise ReadModelError(
            url.render_as_string(hide_password=True),
            "its password is in plain text; leave it out and let ORDERSTREAM_READ_MODEL_SECRET name the "
            "secret, or the file, that holds it",
        )


def _look_only(connection: Any, _: Any) -> None:
    _set_pragmas(connection, "query_only=ON", "busy_timeout=5000")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    _set_pragmas(connection, "journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000")


def _set_pragmas(connection: Any, *pragmas: str) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
