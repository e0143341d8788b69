"""Inventory over a store in memory, and requests for it."""

import datetime as dt
from collections.abc import Sequence

from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import Message, decode_envelope
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.processing.record import Position
from orderstream_consumer.store import Add, Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import Customer, OrderConfirmed, ReleaseStock, ReserveStock, StockLine
from orderstream_workers.services.inventory import InventoryHandlers, read_stock, seed_stock
from orderstream_workers.services.inventory.domain import Reservation
from orderstream_workers.services.inventory.reservations import Reservations

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
CONFIRMED = OrderConfirmed(order_id="o-1", customer=Customer(), total_minor=1, currency="GBP")
RELEASE = ReleaseStock(order_id="o-1")


def lines(count: int, units: int = 2) -> tuple[StockLine, ...]:
    return tuple(StockLine(sku=f"{number:05}", quantity=units) for number in range(count))


def reserve(count: int, units: int = 2) -> ReserveStock:
    return ReserveStock(order_id="o-1", lines=lines(count, units))


class Inventory:
    """Inventory over a store that records its transactions, and fails where it is told to."""

    def __init__(self, skus: int = 60, units: int = 10) -> None:
        self.faults: list[Fault | None] = []
        self.transactions: list[Sequence[Write]] = []
        self.slept: list[float] = []
        self.sent: list[bytes] = []
        self.down = False
        self.store = MemoryStore(self._fault)
        self.handlers = InventoryHandlers(
            store=self.store, publisher=self, clock=lambda: NOW, draw=lambda: 0.5, sleep=self.slept.append
        )
        for number in range(skus):
            seed_stock(self.store, f"{number:05}", units)
        self.transactions.clear()

    def _fault(self, operation: str, writes: Sequence[Write]) -> Fault | None:
        if operation != "transact":
            return None
        self.transactions.append(writes)
        return self.faults.pop(0) if self.faults else None

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        if self.down:
            raise DependencyError("kinesis", "PutRecords", "throttled")
        self.sent += envelopes

    def handle(self, message: Message, event_id: str = "", at: int = 1) -> None:
        envelope = envelope_of(
            message,
            source="saga",
            event_id=event_id or message.type_name(),
            time=NOW,
            correlation_id="reserve_stock:1",
        )
        self.handlers.routes()[envelope.type](Received(envelope, "shard-0", Position(at), NOW))

    @property
    def replies(self) -> list[Message]:
        return [decode_envelope(data).message() for data in self.sent]

    @property
    def state(self) -> Reservation | None:
        return Reservations(self.store).load("o-1").state

    @property
    def adds(self) -> list[int]:
        """How many stock items each transaction wrote."""
        return [sum(isinstance(write, Add) for write in writes) for writes in self.transactions]

    def totals(self) -> tuple[int, int, int]:
        levels = list(read_stock(self.store))
        assert all(level.balanced for level in levels)
        return (
            sum(level.available for level in levels),
            sum(level.reserved for level in levels),
            sum(level.sold for level in levels),
        )
