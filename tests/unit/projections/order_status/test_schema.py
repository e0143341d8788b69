"""The form of the tables: from nothing to the present one, and who may work with which."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from fakes.order_history import envelope_of, placed
from fakes.postgresql import PostgresServer
from fakes.shard import delivered
from orderstream_workers.projections.order_status import (
    ReadModel,
    ReadModelWriter,
    SchemaBehindError,
    check_schema,
    ensure_schema,
    migrate,
    open_engine,
)
from orderstream_workers.projections.order_status.schema import latest_step
from orderstream_workers.projections.order_status.tables import METADATA


@pytest.fixture
def empty(database: str) -> Iterator[Engine]:
    engine = open_engine(database)
    yield engine
    engine.dispose()


def test_an_empty_database_becomes_what_the_tables_say(empty: Engine) -> None:
    """All steps together give the tables of the code: Alembic finds no difference, in names or in types."""
    assert migrate(empty) == (None, latest_step())
    with empty.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, METADATA) == []
        indexes = {index["name"] for index in inspect(connection).get_indexes("orders")}
    assert indexes == {"orders_by_state", "orders_by_ended_at", "orders_by_caller"}


def test_a_difference_would_be_found(empty: Engine) -> None:
    """The comparison can fail: a column that the code does not know is named."""
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("ALTER TABLE orders ADD COLUMN carrier TEXT"))
    with empty.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert [difference[0] for difference in differences] == ["remove_column"]


def test_a_database_without_tables_is_refused_with_the_command_to_run(empty: Engine) -> None:
    """Who finds no tables is told what to run, and what was found."""
    with pytest.raises(SchemaBehindError, match="orderstream read-model migrate") as raised:
        check_schema(empty)
    assert (raised.value.found, raised.value.needed) == (None, latest_step())
    migrate(empty)
    check_schema(empty)
    assert migrate(empty) == (latest_step(), latest_step())


def test_a_later_versions_database_is_worked_with(empty: Engine) -> None:
    """After a rollback the tables stand at a step that this version does not know: they stay as they are."""
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    check_schema(empty)
    assert migrate(empty) == ("9999", "9999")


def test_tables_from_before_there_were_steps_are_taken_over(empty: Engine) -> None:
    """What an earlier version made, and what is in it, stays; the database then stands at the last step."""
    METADATA.create_all(empty)
    ReadModelWriter(empty).apply_batch([delivered(1, envelope_of(placed("a")).encode())])
    assert migrate(empty) == (None, latest_step())
    assert ReadModel(empty).counts().orders == 1


def test_a_database_of_the_first_step_is_brought_on(empty: Engine) -> None:
    """What was read before stays, and knows no caller; what comes after does."""
    with empty.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "orderstream_workers.projections.order_status:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text("INSERT INTO orders (order_id, conversation_id, state) VALUES ('old', 'c', 'PLACED')")
        )
    assert migrate(empty) == ("0001", latest_step())
    order = msgspec.structs.replace(placed("new"), placed_by="alice")
    ReadModelWriter(empty).apply_batch([delivered(1, envelope_of(order).encode())])
    assert {one.order_id: one.placed_by for one in ReadModel(empty).orders()} == {"old": None, "new": "alice"}


def test_a_file_is_migrated_by_who_works_with_it_and_a_server_by_the_command(
    tmp_path: Path, server: PostgresServer
) -> None:
    """A file is this machine's own. A server is shared with other versions: nobody changes it in passing."""
    file, shared = open_engine(f"sqlite:///{tmp_path / 'own'}"), open_engine(server.emptied())
    ensure_schema(file)
    check_schema(file)
    with pytest.raises(SchemaBehindError):
        ensure_schema(shared)
    for engine in (file, shared):
        engine.dispose()


def test_several_may_migrate_at_once(database: str) -> None:
    """One migrates, the others wait and find it done: nobody fails, and the steps are applied once."""
    engines = [open_engine(database) for _ in range(4)]
    found: list[tuple[str | None, str]] = []
    at_once = threading.Barrier(len(engines))

    def run(engine: Engine) -> None:
        at_once.wait()
        found.append(migrate(engine))

    threads = [threading.Thread(target=run, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latest = latest_step()
    assert sorted(found, key=str) == [*([(latest, latest)] * 3), (None, latest)]
    for engine in engines:
        engine.dispose()


def test_a_step_that_fails_leaves_nothing_behind(empty: Engine) -> None:
    """All of a migration is one transaction: tables of somebody else's in the way, and nothing is made."""
    with empty.begin() as connection:
        connection.execute(text("CREATE VIEW orders AS SELECT 1 AS order_id"))
    with pytest.raises(DBAPIError):
        migrate(empty)
    assert inspect(empty).get_table_names() == []
    with pytest.raises(SchemaBehindError):
        check_schema(empty)
