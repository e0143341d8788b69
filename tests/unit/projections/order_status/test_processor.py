"""The read model from records to questions, on each database."""

import sqlite3
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, select

from fakes.asgi import AsgiClient
from fakes.engine import RecordingCheckpointer
from fakes.open_orders import access_for_everyone, shown_to_anyone
from fakes.order_history import AT, envelope_of, placed
from fakes.shard import SimulatedStop, batch_of, delivered
from orderstream.errors import DependencyError
from orderstream.messages import Message
from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.processing.errors import CheckpointRefusedError, LeaseLostError, ShardGivenUpError
from orderstream_consumer.processing.processor import InitializationInput
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_orders.contracts import (
    Customer,
    LowStockDetected,
    OrderCancelled,
    OrderConfirmed,
    PaymentDeclined,
    StockReserved,
)
from orderstream_workers.projections.order_status import (
    Counts,
    OrderStatusProcessor,
    ReadModel,
    ReadModelWriter,
    migrate,
    open_engine,
    render_story,
    routes,
)
from orderstream_workers.projections.order_status.tables import UNREADABLE


class Shard:
    def __init__(self, engine: Engine, stop: SimulatedStop | None = None) -> None:
        self.stop = stop or SimulatedStop()
        self.checkpointer = RecordingCheckpointer()
        self.tally = DeliveryTally()
        self.processor = OrderStatusProcessor(
            writer=ReadModelWriter(engine),
            stop=self.stop,
            breaker=Breaker(self.stop.clock, lambda: 0.0),
            tally=self.tally,
        )
        self.processor.initialize(InitializationInput("shardId-000000000000", None))

    def process(self, *records: DeliveredRecord) -> None:
        self.processor.process_records(batch_of(records, self.checkpointer))


def message(sequence: int, content: Message, event_id: str | None = None) -> DeliveredRecord:
    return delivered(sequence, envelope_of(content, event_id=event_id).encode(), key=content.subject)


def confirmed(order_id: str) -> OrderConfirmed:
    return OrderConfirmed(order_id=order_id, customer=Customer(), total_minor=250, currency="GBP")


def cancelled(order_id: str) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, customer=Customer(), reason="card_declined")


def test_a_batch_is_one_transaction_and_one_checkpoint(engine: Engine) -> None:
    """Orders and histories of a batch are there together, and its end is checkpointed once."""
    shard = Shard(engine)
    shard.process(message(9, placed("a")), message(10, placed("b")), message(11, StockReserved(order_id="a")))
    assert shard.checkpointer.positions == [Position(11)]
    model = ReadModel(engine)
    order = model.order("a")
    assert order is not None
    assert [entry.type for entry in order.history] == ["OrderPlaced", "StockReserved"]
    assert (order.state, order.total_minor, order.reserved_at) == ("PLACED", 250, AT)
    assert [status.order_id for status in model.orders()] == ["a", "b"]
    assert model.order("c") is None


def test_repetition_changes_nothing(engine: Engine) -> None:
    """The same message at any position, in the same batch or a later one, counts once, as first read."""
    records = [message(1, placed("a")), message(2, confirmed("a")), message(3, confirmed("a"))]
    shard = Shard(engine)
    shard.process(*records)
    before = ReadModel(engine).order("a")
    shard.process(*records, message(4, placed("a")))
    Shard(engine).process(*records)
    assert before == ReadModel(engine).order("a")
    assert before is not None
    assert [entry.sequence_number for entry in before.history] == ["1", "2"]


def test_what_cannot_be_read_is_recorded_and_passed(engine: Engine) -> None:
    """No bytes stop a shard: position and reason are kept, the others count, repetition adds nothing."""
    good = envelope_of(placed("a")).encode()
    bad = [
        b"\xff",
        b"{}",
        good.replace(b'"total_minor":250,"currency"', b'"total_minor":99999999999999999999,"currency"'),
        good.replace(b"17850", rb"\u0000"),
        good.replace(b"12:00:00Z", b"12:00:00"),
        good.replace(b"OrderPlaced:1", b"OrderPlaced:2"),
        good.replace(b'"type":"OrderPlaced"', b'"type":"Unknown"').replace(b"France", b"\xff"),
        good.replace(b"2026-01-01T12:00:00Z", b"0001-01-01T00:00:00+14:00"),
        envelope_of(placed("a"), event_id="e" * 3_000).encode(),
        envelope_of(placed("a" * 3_000), event_id="e").encode(),
    ]
    shard = Shard(engine)
    records = [*(delivered(number, data) for number, data in enumerate(bad)), message(100, placed("b"))]
    shard.process(*records)
    shard.process(*records)
    with engine.connect() as connection:
        rows = connection.execute(select(UNREADABLE)).all()
    assert sorted(int(row.sequence_number) for row in rows) == list(range(len(bad)))
    assert all(row.reason for row in rows)
    assert [status.order_id for status in ReadModel(engine).orders()] == ["b"]
    assert shard.tally.figures() == {"unreadable": 2 * len(bad), "handled": 2}
    assert shard.checkpointer.positions == [Position(100)]


def test_a_message_of_an_unknown_type_is_history(engine: Engine) -> None:
    """It changes nothing and is shown as what it is."""
    stranger = msgspec.structs.replace(envelope_of(placed("a")), id="e9", type="OrderPainted")
    Shard(engine).process(message(1, placed("a")), delivered(2, stranger.encode()))
    order = ReadModel(engine).order("a")
    assert order is not None
    assert [entry.type for entry in order.history] == ["OrderPlaced", "OrderPainted"]
    assert "not known here" in render_story(order)


def test_what_is_about_no_order_makes_no_order(engine: Engine) -> None:
    """Low stock is about a SKU: it is passed, as a record that was read and concerns nobody here."""
    shard = Shard(engine)
    shard.process(message(1, LowStockDetected(sku="85123A", available=99, threshold=100)))
    assert ReadModel(engine).counts().orders == 0
    assert ReadModel(engine).order("85123A") is None
    assert shard.checkpointer.positions == [Position(1)]


def test_questions_about_all_orders(engine: Engine) -> None:
    """Every mark is counted; open orders are those without an ending, if they were placed at all."""
    shard = Shard(engine)
    shard.process(*(message(number, placed(name)) for number, name in enumerate("abcd")))
    shard.process(message(10, StockReserved(order_id="a")), message(11, confirmed("a")))
    shard.process(message(12, StockReserved(order_id="b")), message(13, cancelled("b")))
    shard.process(message(14, StockReserved(order_id="never-placed")))
    model = ReadModel(engine)
    assert model.counts() == Counts(orders=4, reserved=2, paid=0, shipped=0, confirmed=1, cancelled=1)
    assert model.open_orders() == 2
    assert [status.order_id for status in model.ended_since(AT)] == ["a", "b"]
    assert list(model.ended_since(AT.replace(year=2027))) == []


def test_a_large_batch_is_read_back_whole(engine: Engine) -> None:
    """More orders than one query's keys, in one batch, twice."""
    records = [message(number, placed(f"order-{number:04}")) for number in range(900)]
    shard = Shard(engine)
    shard.process(*records)
    shard.process(*records)
    assert ReadModel(engine).counts().orders == 900


def test_a_locked_database_is_waited_for(tmp_path: Path) -> None:
    """While another holds the lock nothing is checkpointed; afterwards the batch is applied."""
    path = tmp_path / "model.sqlite"
    engine = open_engine(f"sqlite:///{path}?timeout=0")
    migrate(engine)
    blocker = sqlite3.connect(path, isolation_level=None)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")

    class Unlocking(SimulatedStop):
        def wait(self, timeout: float | None = None) -> bool:
            if blocker.in_transaction:
                blocker.execute("COMMIT")
            return super().wait(timeout)

    shard = Shard(engine, Unlocking())
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(DependencyError, match="locked"):
        ReadModelWriter(engine).apply_batch([message(1, placed("a"))])
    shard.process(message(1, placed("a")))
    blocker.close()
    assert shard.checkpointer.positions == [Position(1)]
    assert shard.tally.figures()["retried"] == 1
    engine.dispose()


def test_a_stop_ends_the_waiting_without_a_checkpoint(tmp_path: Path) -> None:
    """A batch that is not applied is not checkpointed, not even as the shard's end."""
    engine = open_engine(f"sqlite:///{tmp_path / 'nowhere' / 'model.sqlite'}")
    shard = Shard(engine, SimulatedStop(after_waits=2))
    shard.process(message(1, placed("a")))
    shard.processor.shutdown_requested(shard.checkpointer)
    shard.processor.shard_ended(shard.checkpointer)
    assert shard.checkpointer.positions == []
    engine.dispose()


def test_a_failed_checkpoint_is_made_up_for(engine: Engine) -> None:
    """The batch is applied; the next call checkpoints it, and the end of the shard follows."""
    shard = Shard(engine)
    shard.checkpointer = RecordingCheckpointer(DependencyError("dynamodb", "PutItem", "throttled"))
    shard.process(message(1, placed("a")))
    shard.processor.lease_lost()
    shard.processor.shutdown_requested(shard.checkpointer)
    shard.processor.shard_ended(shard.checkpointer)
    assert shard.checkpointer.positions == [Position(1), None]


def test_a_checkpoint_that_is_refused_gives_the_shard_up(engine: Engine) -> None:
    """By a defect nobody else could take the shard, so it is said; a lost lease is known to the engine."""
    shard = Shard(engine)
    shard.checkpointer = RecordingCheckpointer(CheckpointRefusedError("shard", "beyond"))
    with pytest.raises(ShardGivenUpError, match="beyond"):
        shard.process(message(1, placed("a")))
    shard = Shard(engine)
    shard.checkpointer = RecordingCheckpointer(LeaseLostError("shard", "taken"))
    shard.process(message(2, placed("b")))
    shard.process(message(3, placed("c")))
    assert {order.order_id for order in ReadModel(engine).orders()} == {"a", "b"}


def test_the_story_names_effects(engine: Engine) -> None:
    """Every message in stream order, with its time after the first, its owner, its type and its effect."""
    shard = Shard(engine)
    declined = PaymentDeclined(order_id="a", reason="card_declined")
    shard.process(message(9, placed("a")), message(10, declined), message(11, cancelled("a")))
    order = ReadModel(engine).order("a")
    assert order is not None
    lines = render_story(order).splitlines()
    assert lines[0] == "order a: CANCELLED (card_declined)"
    assert lines[1].split() == [
        *("+0.000s", "orders", "OrderPlaced", "—"),
        *["the", "customer", "ordered", "1", "line", "for", "250", "minor", "units", "GBP"],
    ]
    assert lines[2].endswith("PaymentDeclined — the customer was not charged: card_declined")
    assert "someone@example.com" not in "\n".join(lines)


def test_an_order_is_shown_over_http(engine: Engine) -> None:
    """200 with its history and no address, 404 if it has not been read yet."""
    Shard(engine).process(message(1, placed("a")), message(2, confirmed("a")))
    with AsgiClient(shown_to_anyone(routes(ReadModel(engine), access_for_everyone()))) as client:
        response = client.get("/orders/a")
        assert response.status_code == 200
        order = response.json()
        assert (order["state"], order["total_minor"]) == ("CONFIRMED", 250)
        assert [entry["type"] for entry in order["history"]] == ["OrderPlaced", "OrderConfirmed"]
        assert "someone@example.com" not in response.text
        assert client.get("/orders/b").status_code == 404
