"""Inventory behaves the same on every store: a long order's whole life, on each of them."""

import datetime as dt
from collections.abc import Iterator

import pytest
from moto import mock_aws

from fakes.messages import envelope_of
from fakes.moto_aws import moto_client
from orderstream.messages import Message, decode_envelope
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.processing.record import Position
from orderstream_consumer.store import DynamoDBStore, Store, create_tables
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import (
    Customer,
    OrderConfirmed,
    ReleaseStock,
    ReserveStock,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
    StockSold,
)
from orderstream_workers.services.inventory import TABLES, InventoryHandlers, read_stock, seed_stock

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
SKUS = tuple(f"{number:05}" for number in range(60))
LINES = tuple(StockLine(sku=sku, quantity=2) for sku in SKUS)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each implementation in turn, with 5 units of every SKU."""
    with mock_aws():
        client = moto_client("dynamodb")
        create_tables(client, TABLES)
        kept: Store = MemoryStore() if request.param == "memory" else DynamoDBStore(client)
        for sku in SKUS:
            seed_stock(kept, sku, 5)
        yield kept
        client.close()


class Stream:
    """Hands messages to inventory and gives back the replies."""

    def __init__(self, store: Store) -> None:
        self.publisher = CollectingPublisher()
        self.position = 0
        self.handlers = InventoryHandlers(store=store, publisher=self.publisher, clock=lambda: NOW)

    def send(self, message: Message, again_at: int | None = None) -> list[Message]:
        event_id = f"{message.order_id}/{message.type_name()}"
        envelope = envelope_of(message, source="saga", event_id=event_id, time=NOW)
        if again_at is None:
            self.position += 1
        before = len(self.publisher.published)
        received = Received(envelope, "shard-0", Position(again_at or self.position), NOW)
        self.handlers.routes()[envelope.type](received)
        return [decode_envelope(data).message() for data in self.publisher.published[before:]]


def test_orders_live_and_end_on_every_store(store: Store) -> None:
    """Reserved, sold, refused half-way, released, overtaken and delivered again: the books balance."""
    stream = Stream(store)
    assert stream.send(ReserveStock(order_id="a", lines=LINES)) == [StockReserved(order_id="a")]
    assert stream.send(ReserveStock(order_id="b", lines=LINES)) == [StockReserved(order_id="b")]
    assert stream.send(ReserveStock(order_id="c", lines=LINES[30:])) == [
        StockRejected(order_id="c", reason="out_of_stock", sku=SKUS[30])
    ]
    one_each = tuple(StockLine(sku=sku, quantity=1) for sku in SKUS)
    unknown = (*one_each, StockLine(sku="99999", quantity=1))
    assert stream.send(ReserveStock(order_id="d", lines=unknown)) == [
        StockRejected(order_id="d", reason="unknown_sku", sku="99999")
    ]
    assert stream.send(ReleaseStock(order_id="e")) == [StockReleased(order_id="e")]
    assert stream.send(ReserveStock(order_id="e", lines=LINES)) == [
        StockRejected(order_id="e", reason="released")
    ]
    confirmed = OrderConfirmed(order_id="a", customer=Customer(), total_minor=1, currency="GBP")
    assert stream.send(confirmed) == [StockSold(order_id="a")]
    assert stream.send(ReleaseStock(order_id="b")) == [StockReleased(order_id="b")]
    assert stream.send(ReserveStock(order_id="a", lines=LINES), again_at=1) == [StockReserved(order_id="a")]
    assert stream.send(ReserveStock(order_id="a", lines=LINES), again_at=99) == []
    levels = list(read_stock(store))
    assert len(levels) == 60
    assert all(
        (level.initial, level.available, level.reserved, level.sold) == (5, 3, 0, 2) for level in levels
    )


def test_opening_stock_again_keeps_what_has_happened(store: Store) -> None:
    """Seeding is idempotent on every store."""
    Stream(store).send(ReserveStock(order_id="a", lines=LINES[:1]))
    assert not seed_stock(store, SKUS[0], 5)
    level = next(level for level in read_stock(store) if level.sku == SKUS[0])
    assert (level.available, level.reserved) == (3, 2)
