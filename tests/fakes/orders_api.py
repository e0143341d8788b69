"""The orders API in memory, and an order for it."""

import datetime as dt
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from fakes.callers import as_caller, gateway
from fakes.publishing import CollectingProducer
from orderstream import DependencyError, EventPublisher
from orderstream_orders.api import Accepted, create_app
from orderstream_orders.contracts import order_id_for
from orderstream_orders.testing import MemoryIdempotencyStore

SHOP = as_caller("shop")
KEY = {"Idempotency-Key": "invoice-1", **SHOP}
ORDER_ID = order_id_for("shop", "invoice-1")

BODY: dict[str, Any] = {
    "customer": {"customer_id": "17850", "email": "someone@example.com"},
    "country": "United Kingdom",
    "currency": "GBP",
    "lines": [
        {"sku": "85123a", "quantity": 6, "unit_price": "2.55", "description": "HEART HOLDER"},
        {"sku": "POST", "quantity": 1, "unit_price": "18.0", "service": True},
    ],
}


class World:
    def __init__(self) -> None:
        self.producer = CollectingProducer()
        self.store = FailingStore()
        self.now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        self.app = create_app(
            publisher=EventPublisher(self.producer, source="orders"),
            idempotency_store=self.store,
            authentication=gateway(),
            clock=self.tick,
            extra_routes=[Route("/extra", lambda _: PlainTextResponse("here"))],
        )

    def tick(self) -> dt.datetime:
        self.now += dt.timedelta(seconds=1)
        return self.now


class FailingStore(MemoryIdempotencyStore):
    """Fails as often as it is told to: writes after the commit, which is a lost acknowledgement."""

    failures = 0
    read_failures = 0

    def put_if_absent(self, order_id: str, accepted: Accepted) -> Accepted:
        found = super().put_if_absent(order_id, accepted)
        if self.failures:
            self.failures -= 1
            raise DependencyError("dynamodb", "PutItem", "no response")
        return found

    def get(self, order_id: str) -> Accepted | None:
        if self.read_failures:
            self.read_failures -= 1
            raise DependencyError("dynamodb", "GetItem", "no response")
        return super().get(order_id)
