"""The form of the read model's tables: which one a database has, and how it gets the present one.

::

    no tables ──migrate──> 0001 ──migrate──> ... ──migrate──> the last step
        │                   │
        └── a worker ───────┴──> SchemaBehindError, and the process ends (SQLite: it migrates the file itself)
"""

import logging
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from orderstream.errors import OrderstreamError
from orderstream_workers.projections.order_status.engine import WRITES

logger = logging.getLogger(__name__)

_LOCATION: Final = "orderstream_workers.projections.order_status:migrations"
_LOCK: Final = 7_106_203_551
"""Any number: to PostgreSQL it names the right to migrate, which one process has at a time."""


class SchemaBehindError(OrderstreamError):
    """The tables have a form that this version does not know how to use.

    Args:
        found: The step that the database is at; None if it has no tables of ours.
        needed: The step that this version needs.
    """

    def __init__(self, found: str | None, needed: str) -> None:
        self.found = found
        self.needed = needed
        there = "has no tables of order status yet" if found is None else f"is at step {found}"
        super().__init__(
            f"the read model's database {there}, and this version needs step {needed}; run "
            "`orderstream read-model migrate`, then start again"
        )


def latest_step() -> str:
    """The step that this version needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def migrate(engine: Engine) -> tuple[str | None, str]:
    """Bring the tables into the present form, in one transaction. Several processes may do it at once.

    A database at a step of a later version stays as it is.

    Args:
        engine: From ``open_engine``.

    Returns:
        The step before, None for none, and the step that it is at now.

    Raises:
        SQLAlchemyError: the database refuses, or is out of reach; nothing was changed.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            # Waits for as long as another migrates: its steps may take longer than our own statements may.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _step(connection)
        if before is not None and not _is_known(before):
            return before, before
        command.upgrade(_config(connection), "head")
        after = latest_step()
    if before != after:
        logger.info("the read model was migrated", extra={"before": before, "after": after})
    return before, after


def check_schema(engine: Engine) -> None:
    """Make sure that this version can work with the tables as they are.

    A step that this version does not know is a later version's, which leaves what the one before it needs.

    Args:
        engine: From ``open_engine``.

    Raises:
        SchemaBehindError: a migration has to be run.
        SQLAlchemyError: the database is out of reach.
    """
    with engine.connect() as connection:
        found = _step(connection)
    needed = latest_step()
    if found is None or (found != needed and _is_known(found)):
        raise SchemaBehindError(found, needed)


def ensure_schema(engine: Engine) -> None:
    """Before a process works: a file, which is its machine's own, is migrated; a server's database checked.

    Args:
        engine: From ``open_engine``.

    Raises:
        SchemaBehindError: see ``check_schema``.
        SQLAlchemyError: the database is out of reach.
    """
    try:
        check_schema(engine)
    except SchemaBehindError:
        if engine.dialect.name != "sqlite":
            raise
        migrate(engine)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", _LOCATION)
    config.attributes["connection"] = connection
    return config


def _step(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_known(step: str) -> bool:
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return any(one.revision == step for one in steps)
