"""Commands that the inbox has forgotten: the payment itself gives the reply that they had."""

import pytest

from fakes.payment_queue import MemoryPaymentQueue
from fakes.payments import (
    AmplePermits,
    LedgerProvider,
    Outbox,
    TickingClock,
    capture_command,
    received,
    refund_command,
)
from orderstream_consumer.idempotency import CAPACITY, Received
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import PaymentCaptured, PaymentRefunded
from orderstream_workers.services.payments import PaymentHandlers, PaymentWorker


class World:
    def __init__(self) -> None:
        self.clock, self.outbox = TickingClock(), Outbox()
        store, queue = MemoryStore(), MemoryPaymentQueue()
        self.queue = queue
        self.routes = PaymentHandlers(
            store=store, publisher=self.outbox, queue=queue, clock=self.clock
        ).routes()
        self.worker = PaymentWorker(
            store=store,
            queue=queue,
            provider=LedgerProvider(),
            limiter=AmplePermits(),
            publisher=self.outbox,
            clock=self.clock,
            now=self.clock.monotonic,
        )

    def deliver(self, delivery: Received) -> None:
        self.clock.sleep(1)
        self.routes[delivery.envelope.type](delivery)

    def settle(self) -> None:
        for message in self.queue.receive(10, wait=0, visibility=60):
            self.worker.work(message, self.clock.seconds)


def refund_unanswered(world: World, times: int) -> list[Received]:
    """The order is charged, and no worker comes round to as many refunds."""
    capture = received(capture_command(), 1)
    world.deliver(capture)
    world.settle()
    refunds = [received(refund_command(), 2 + number, f"refund {number}") for number in range(times)]
    for refund in refunds:
        world.deliver(refund)
    return [capture, *refunds]


def test_a_capture_that_is_replayed_while_refunds_wait_is_still_captured() -> None:
    """More refunds than the inbox keeps, then everything again from TRIM_HORIZON: no word of a decline."""
    world = World()
    stream = refund_unanswered(world, CAPACITY + 6)
    for delivery in stream:
        world.deliver(delivery)
    assert set(map(type, world.outbox.messages())) == {PaymentCaptured}
    assert len({envelope.id for envelope in world.outbox.envelopes()}) == len(set(world.outbox.published))


@pytest.mark.parametrize("times", [1, CAPACITY + 6])
def test_a_reply_that_is_given_again_is_the_same_to_the_byte(times: int) -> None:
    """Its time is that of the decision, not of the day on which it is asked for again."""
    world = World()
    stream = refund_unanswered(world, times)
    world.settle()
    for delivery in stream:
        world.deliver(delivery)
    once = set(world.outbox.published)
    world.clock.sleep(1_000_000)
    for delivery in stream:
        world.deliver(delivery)
    assert set(world.outbox.published) == once
    assert {type(each) for each in world.outbox.messages()} == {PaymentCaptured, PaymentRefunded}
