"""How a PostgreSQL server is connected to, so that no outage of it holds a shard up longer than it lasts.

A connection::

    asked for ──not reached, or refused──> the secret is read again ──unchanged──> outage, tried again later
        │                                        └──changed──> asked for again, once
        v
    open ──it is lost, or the server became read-only──> thrown away with all others of the pool
      └──in a transaction, and silent for too long──> the server rolls back, and lets others have the rows
"""

from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from orderstream_workers.projections.order_status.credentials import Credentials, RotatingCredentials

_SESSION: Final = {
    # A worker that is frozen inside a transaction must not keep its successor from the same orders.
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
}

_READ_ONLY: Final = "25006"
"""After a failover the former writer responds and takes no write."""

_CONNECT_SECONDS: Final = 5

_LOOPBACK: Final = frozenset({None, "", "localhost", "127.0.0.1", "::1"})
"""Hosts of this machine; without a host libpq takes a Unix socket."""


def is_here(url: URL) -> bool:
    """Whether a server is on this machine: no network is between."""
    return url.host in _LOOPBACK


def server_arguments(url: URL, *, read_only: bool) -> dict[str, Any]:
    """What an engine for a server is made with; what the URL says of the connection itself wins.

    Args:
        url: The database's.
        read_only: Whether nothing is ever written: then a standby will do.
    """
    session = _SESSION | ({"default_transaction_read_only": "on"} if read_only else {})
    connection: dict[str, Any] = {
        "application_name": "orderstream",
        "connect_timeout": _CONNECT_SECONDS,
        # A host that vanished, as in a failover, sends nothing any more: not even the end of the connection.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": 20_000,
        "target_session_attrs": "any" if read_only else "read-write",
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
    }
    if not is_here(url):
        connection["sslmode"] = "require"
    return {
        # SELECT ... FOR UPDATE then reads what the last one has committed; see ``writer``.
        "isolation_level": "READ COMMITTED",
        "pool_pre_ping": True,
        "pool_size": 5,
        "max_overflow": 10,
        "pool_timeout": 10,
        "connect_args": {name: value for name, value in connection.items() if name not in url.query},
    }


def prepare_postgresql(engine: Engine, credentials: RotatingCredentials | None) -> None:
    """Have lost connections thrown away, and connect with credentials that may change.

    Args:
        engine: Made with ``server_arguments``.
        credentials: User and password; None leaves them to the URL.
    """
    event.listen(engine, "handle_error", _throw_away)
    if credentials is not None:
        event.listen(engine, "do_connect", _Connecting(credentials))


class _Connecting:
    def __init__(self, credentials: RotatingCredentials) -> None:
        self._credentials = credentials

    def __call__(self, dialect: Any, _: Any, words: Any, parameters: dict[str, Any]) -> Any:
        tried = self._credentials.current()
        try:
            return dialect.connect(*words, **parameters, **_named(tried))
        except dialect.loaded_dbapi.OperationalError:
            # Only the message, in the server's language, distinguishes a refused password from an absent
            # server.
            others = self._credentials.after_refusal(tried)
            if others is None:
                raise
            return dialect.connect(*words, **parameters, **_named(others))


def _named(credentials: Credentials) -> dict[str, str]:
    return {"user": credentials.username, "password": credentials.password}


def _throw_away(context: Any) -> None:
    state = getattr(context.original_exception, "sqlstate", None)
    if isinstance(context.sqlalchemy_exception, DBAPIError) and state == _READ_ONLY:
        context.is_disconnect = True
