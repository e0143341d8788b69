"""A slow stream holds up neither other responses nor more threads than allowed."""

import asyncio
import datetime as dt
import threading

import httpx

from fakes.publishing import CollectingProducer, CompletedDelivery
from orderstream import EventPublisher
from orderstream_orders.api import create_app
from orderstream_orders.callers import LoopbackCallers
from orderstream_orders.testing import MemoryIdempotencyStore

BODY = {"currency": "GBP", "lines": [{"sku": "85123A", "quantity": 1, "unit_price": "1"}]}


class SlowProducer(CollectingProducer):
    """Holds every put until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def put(self, data: bytes, partition_key: str) -> CompletedDelivery:
        self.entered.set()
        assert self.go_on.wait(10)
        return super().put(data, partition_key)


def test_a_slow_put_blocks_nobody_else_and_the_bound_holds() -> None:
    """While one order waits, health answers; an order beyond the bound is told at once to come again."""
    producer = SlowProducer()
    app = create_app(
        publisher=EventPublisher(producer, source="orders"),
        idempotency_store=MemoryIdempotencyStore(),
        authentication=LoopbackCallers(),
        clock=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        concurrency=1,
        max_waiting=0,
    )

    async def scenario() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://orders") as client:

            async def place(key: str) -> httpx.Response:
                return await client.post("/orders", json=BODY, headers={"Idempotency-Key": key})

            slow = asyncio.create_task(place("1"))
            assert await asyncio.to_thread(producer.entered.wait, 10)
            refused = await place("2")
            health = await client.get("/health")
            producer.go_on.set()
            return await slow, refused, health

    slow, refused, health = asyncio.run(scenario())
    assert slow.status_code == 202
    assert (refused.status_code, refused.json()["code"]) == (503, "unknown_outcome")
    assert health.json()["in_flight"] == 1
