"""What only a server can do: lose a connection, restart, let two writers in, become read-only."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from fakes.engine import RecordingCheckpointer
from fakes.order_history import envelope_of, placed
from fakes.postgresql import PostgresServer
from fakes.shard import SimulatedStop, batch_of, delivered
from orderstream.errors import DependencyError
from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_orders.contracts import Customer, OrderConfirmed, StockReserved
from orderstream_workers.projections.order_status import (
    OrderStatusProcessor,
    OrderWithHistory,
    ReadModel,
    ReadModelWriter,
    migrate,
    open_engine,
)

MESSAGES = [
    *(placed(name) for name in "abc"),
    StockReserved(order_id="b"),
    OrderConfirmed(order_id="a", customer=Customer(), total_minor=250, currency="GBP"),
    StockReserved(order_id="a"),
]
RECORDS = [
    delivered(number, envelope_of(one).encode(), key=one.subject) for number, one in enumerate(MESSAGES)
]


@pytest.fixture
def database(server: PostgresServer) -> str:
    return server.emptied()


@contextmanager
def opened(database: str) -> Iterator[Engine]:
    engine = open_engine(database)
    yield engine
    engine.dispose()


def found(engine: Engine) -> list[OrderWithHistory | None]:
    return [ReadModel(engine).order(name) for name in "abc"]


def expected(server: PostgresServer) -> list[OrderWithHistory | None]:
    """What an undisturbed writer makes of all records."""
    with opened(server.database()) as engine:
        migrate(engine)
        ReadModelWriter(engine).apply_batch(RECORDS)
        return found(engine)


class Statements:
    """Does something once before a transaction's statement of a number, its commit counting as one more."""

    def __init__(self, engine: Engine, act: Callable[[], None]) -> None:
        self._act = act
        self.seen = 0
        self.at: int | None = None
        event.listen(engine, "before_cursor_execute", self._on_statement)
        event.listen(engine, "commit", self._on_statement)

    def _on_statement(self, *_: Any) -> None:
        self.seen += 1
        if self.seen == self.at:
            self.at = None
            self._act()


def processor(engine: Engine) -> tuple[OrderStatusProcessor, SimulatedStop, DeliveryTally]:
    stop, tally = SimulatedStop(), DeliveryTally()
    made = OrderStatusProcessor(
        writer=ReadModelWriter(engine), stop=stop, breaker=Breaker(stop.clock, lambda: 0.0), tally=tally
    )
    return made, stop, tally


def test_a_connection_that_is_killed_before_any_statement_costs_nothing(
    server: PostgresServer, engine: Engine, database: str
) -> None:
    """Wherever in its transaction a batch loses its connection, it is applied whole, once, then checkpointed.

    The connection is killed before each statement in turn, and before the commit.
    """
    whole = expected(server)
    statements = Statements(engine, lambda: server.break_off(database))
    ReadModelWriter(engine).apply_batch(RECORDS[:1])
    in_a_batch = statements.seen
    assert in_a_batch > 3
    for number in range(1, in_a_batch + 1):
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE orders, history, unreadable"))
        worker, _, tally = processor(engine)
        checkpoints = RecordingCheckpointer()
        statements.seen, statements.at = 0, number
        worker.process_records(batch_of(RECORDS, checkpoints))
        assert tally.figures()["retried"] == 1, number
        assert found(engine) == whole
        assert checkpoints.positions == [RECORDS[-1].position]


def test_a_server_that_restarts_within_a_batch_is_waited_for(server: PostgresServer, engine: Engine) -> None:
    """While it is away nothing is checkpointed; then the whole batch is applied, and nothing of it twice."""
    worker, stop, tally = processor(engine)
    checkpoints = RecordingCheckpointer()
    waits: list[list[Position | None]] = []

    def wait(timeout: float | None = None) -> bool:
        waits.append(list(checkpoints.positions))
        if len(waits) == 2:
            server.start()
        return SimulatedStop.wait(stop, timeout)

    stop.wait = wait  # type: ignore[method-assign]
    statements = Statements(engine, server.stop)
    statements.at = 3
    worker.process_records(batch_of(RECORDS, checkpoints))
    assert waits[:2] == [[], []]
    assert tally.figures()["retried"] >= 2
    assert found(engine) == expected(server)
    assert checkpoints.positions == [RECORDS[-1].position]


def test_a_failover_that_leaves_the_old_writer_read_only_ends_the_connection(
    engine: Engine,
) -> None:
    """A connection to a server that takes no writes any more is not used again, nor any other of the pool."""
    with engine.connect() as connection:
        connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
        connection.commit()
    writer = ReadModelWriter(engine)
    with pytest.raises(DependencyError, match="read-only"):
        writer.apply_batch(RECORDS)
    writer.apply_batch(RECORDS)
    assert ReadModel(engine).counts().orders == 3


@pytest.mark.parametrize("known", [(), RECORDS[:3]], ids=["new orders", "known orders"])
def test_a_zombie_and_its_successor_count_each_message_once(
    server: PostgresServer, database: str, known: tuple[DeliveredRecord, ...]
) -> None:
    """A worker that has lost its lease writes the same shard as the one that has it, from another cut.

    Whoever comes second waits for the first one's rows, and then applies what is new, or its batch again.
    """
    whole = expected(server)
    with opened(database) as zombies, opened(database) as successors:
        migrate(zombies)
        ReadModelWriter(zombies).apply_batch(known)
        begun, going_on = threading.Event(), threading.Event()

        def pause() -> None:
            begun.set()
            assert going_on.wait(60)

        statements = Statements(zombies, pause)
        ReadModelWriter(zombies).apply_batch(())
        statements.seen, statements.at = 0, 4  # its rows of history are written, and nothing is committed
        old, _, _ = processor(zombies)
        new, _, _ = processor(successors)
        checkpoints = RecordingCheckpointer()
        late = threading.Thread(
            target=old.process_records, args=(batch_of(RECORDS[:5], RecordingCheckpointer()),)
        )
        late.start()
        assert begun.wait(60)
        quick = threading.Thread(target=new.process_records, args=(batch_of(RECORDS[2:], checkpoints),))
        quick.start()
        wait_for_a_lock(server)
        assert checkpoints.positions == []
        going_on.set()
        late.join()
        quick.join()
        assert checkpoints.positions == [RECORDS[-1].position]
        assert found(successors) == whole


def wait_for_a_lock(server: PostgresServer) -> None:
    """Until a transaction waits for another one."""
    while not server.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
        pass


def test_batches_of_opposite_orders_never_wait_in_a_circle(server: PostgresServer, database: str) -> None:
    """Rows are written in the order of their keys, whatever that of the records: no deadlock is found."""
    with opened(database) as one, opened(database) as other:
        migrate(one)
        names = [f"order-{number:03}" for number in range(150)]
        forth = [delivered(n, envelope_of(placed(name)).encode(), key=name) for n, name in enumerate(names)]
        failures: list[str] = []

        def write(engine: Engine, records: list[DeliveredRecord]) -> None:
            while True:
                try:
                    ReadModelWriter(engine).apply_batch(records)
                except DependencyError as error:
                    failures.append(error.reason)
                else:
                    return

        threads = [
            threading.Thread(target=write, args=(one, forth)),
            threading.Thread(target=write, args=(other, forth[::-1])),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ReadModel(one).counts().orders == 150
        assert [reason for reason in failures if "deadlock" in reason] == []


def test_a_frozen_worker_is_cut_off_by_the_server(engine: Engine) -> None:
    """A session has limits for silence inside a transaction, for waiting for a lock, and for a statement."""
    with engine.connect() as connection:
        limits = {
            name: connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
        }
        isolation = connection.execute(text("SHOW transaction_isolation")).scalar_one()
    assert limits == {
        "idle_in_transaction_session_timeout": "30s",
        "lock_timeout": "10s",
        "statement_timeout": "30s",
    }
    assert isolation == "read committed"
