"""The largest order that the API takes fits every record and every item that it becomes."""

import datetime as dt
import random
import string

from fakes.engine import record_of
from orderstream.messages import decode_envelope, initial
from orderstream_consumer.idempotency import CollectingPublisher, MessageHandler
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.api import MAX_ORDER_BYTES
from orderstream_orders.api.acceptance import accept
from orderstream_orders.api.requests import LineRequest, OrderRequest, Rejection
from orderstream_orders.contracts import OrderPlaced
from orderstream_workers.services.inventory import InventoryHandlers
from orderstream_workers.services.saga import SagaHandlers

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def largest_order() -> OrderPlaced:
    """An order whose codes no compression makes smaller, as large as the API takes it."""
    draw = random.Random(1)
    symbols = string.ascii_uppercase + string.digits
    lines: tuple[LineRequest, ...] = ()
    largest: OrderPlaced | None = None
    while True:
        code = "12345" + "".join(draw.choices(symbols, k=195))
        lines += tuple(LineRequest(sku=f"{code[:-2]}{n:02}", quantity=1, unit_price="1") for n in range(10))
        placed = accept("o-1", OrderRequest(lines=lines, currency="GBP"))
        if isinstance(placed, Rejection):
            assert largest is not None
            return largest
        largest = placed


def test_the_largest_order_fits_everywhere() -> None:
    """Coordinator and inventory keep it in their items, and what they publish fits a record of 1 MiB."""
    store, publisher = MemoryStore(), CollectingPublisher()
    placed = largest_order()
    event = initial(placed, source="orders", event_id="e-1", time=NOW).encode()
    assert MAX_ORDER_BYTES * 0.95 < len(event) < MAX_ORDER_BYTES + 1_000
    saga = MessageHandler(SagaHandlers(store=store, publisher=publisher, clock=lambda: NOW).routes())
    inventory = MessageHandler(
        InventoryHandlers(store=store, publisher=publisher, clock=lambda: NOW).routes()
    )
    saga.handle(record_of("o-1", 1, event))
    for number, command in enumerate(list(publisher.published), start=2):
        inventory.handle(record_of("o-1", number, command))
    types = [decode_envelope(data).type for data in publisher.published]
    assert types == ["inventory.ReserveStock", "payments.CapturePayment", "StockRejected"]
    assert max(map(len, publisher.published)) < 2**20
