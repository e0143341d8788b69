"""The coordinator's handlers over stores in memory, and one order for them."""

import datetime as dt
from collections.abc import Sequence

from fakes.delivery import delivered
from fakes.metrics import Recorded
from orderstream.errors import DependencyError
from orderstream.messages import Envelope, decode_envelope, initial, replying
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import (
    Customer,
    OrderLine,
    OrderPlaced,
    PaymentCaptured,
    PaymentRefunded,
    Reply,
    StockRejected,
    StockReserved,
)
from orderstream_workers.services.saga import SagaHandlers, find_order
from orderstream_workers.services.saga.definition import definition_of
from orderstream_workers.services.saga.state import Phase

FLOW = definition_of(1)
"""The flow that these tests tell of, whichever new orders follow."""

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
ORDER = "o-1"
PLACED = initial(
    OrderPlaced(
        order_id=ORDER,
        customer=Customer(customer_id="17850"),
        country="France",
        lines=(OrderLine(sku="A", quantity=2, unit_price="1.00", total_minor=200),),
        total_minor=200,
        currency="GBP",
    ),
    source="orders",
    event_id="placed",
    time=NOW,
)
RESERVED = StockReserved(order_id=ORDER)
REJECTED = StockRejected(order_id=ORDER, reason="out_of_stock", sku="A")
CAPTURED = PaymentCaptured(order_id=ORDER, amount_minor=200, currency="GBP", charge_id="ch_1")
REFUNDED = PaymentRefunded(order_id=ORDER, amount_minor=200, currency="GBP", refund_id="re_1")


class Interrupted(CollectingPublisher):
    """A stream that can be away."""

    away = False

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        if self.away:
            raise DependencyError("kinesis", "PutRecords", "no reply")
        super().publish(envelopes, partition_key)


class Coordinator:
    """The handlers over stores in memory, fed with one order's messages."""

    def __init__(self, inbox_capacity: int = 64) -> None:
        self.store = MemoryStore()
        self.publisher = Interrupted()
        self.now = NOW
        self.meter = Recorded()
        self.handlers = SagaHandlers(
            store=self.store,
            publisher=self.publisher,
            clock=lambda: self.now,
            inbox_capacity=inbox_capacity,
            current=FLOW,
            meter=self.meter,
            region="us-east-1",
        )
        self.routes = self.handlers.routes()
        self.sequence = 0

    def hear(
        self, envelope: Envelope, sequence: int | None = None, arrival: dt.datetime | None = None
    ) -> list[Envelope]:
        """Deliver an envelope, at the next position unless one is given; return what the saga publishes."""
        self.sequence += 1
        before = len(self.publisher.published)
        self.routes[envelope.type](delivered(envelope, sequence or self.sequence, arrival=arrival))
        return [decode_envelope(data) for data in self.publisher.published[before:]]

    def hear_while_the_stream_is_away(self, envelope: Envelope, sequence: int) -> None:
        """Deliver an envelope; what it leads to is committed, and reaches nobody."""
        self.publisher.away = True
        try:
            self.hear(envelope, sequence)
        finally:
            self.publisher.away = False

    def asked(self, correlation_id: str) -> Envelope:
        """The command that carries a correlation id."""
        every = [decode_envelope(data) for data in self.publisher.published]
        return next(
            envelope for envelope in every if envelope.correlation_id == correlation_id and envelope.reply_to
        )

    def reply(self, correlation_id: str, event: Reply) -> list[Envelope]:
        """Deliver the reply to the command that carries a correlation id."""
        return self.hear(replying(self.asked(correlation_id), event, source=event.owner, time=self.now))

    def phase(self) -> Phase:
        saga = find_order(self.store, ORDER)
        assert saga is not None
        return saga.phase

    def timers(self) -> set[tuple[str, int]]:
        return {
            (str(item.attributes["step"]), int(str(item.attributes["attempt"])))
            for item in self.store.scan("saga-timers")
        }
