"""Commands in any order, workers anywhere, crashes and lost replies everywhere: money is right in the end."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.payment_queue import MemoryPaymentQueue
from fakes.payments import (
    NOW,
    AmplePermits,
    CrashedError,
    LedgerProvider,
    Outbox,
    TickingClock,
    capture_command,
    received,
    refund_command,
)
from orderstream.errors import DependencyError
from orderstream_consumer.idempotency import Received
from orderstream_consumer.store import Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import PaymentCaptured, PaymentDeclined, PaymentRefunded
from orderstream_workers.services.payments import PaymentHandlers, PaymentWorker
from orderstream_workers.services.payments.records import PaymentRecords

if TYPE_CHECKING:
    from orderstream.messages import Message

AMOUNT = 1230


@dataclass(frozen=True)
class Order:
    """What is asked for one order, apart from when."""

    captures: int
    refunds: int
    copies: int
    declined: bool
    patience: int


ORDERS = st.lists(
    st.builds(
        Order,
        captures=st.integers(0, 2),
        refunds=st.integers(0, 3),
        copies=st.integers(0, 1),
        declined=st.booleans(),
        patience=st.sampled_from((0, 30, 100_000)),
    ),
    min_size=1,
    max_size=3,
)


class World:
    """Stream, store, queue, provider and workers; at every call something else may come in between."""

    def __init__(self, orders: list[Order], seed: int, capacity: int) -> None:
        self.random = random.Random(seed)
        self.orders = {f"o-{number}": order for number, order in enumerate(orders)}
        self.faults, self.depth = 12, 0
        self.clock = TickingClock()
        self.store = MemoryStore(self.store_fault)
        self.outbox = Outbox(fault=self.call_fault)
        self.queue = MemoryPaymentQueue(self.clock.monotonic)
        declines = frozenset(name for name, order in self.orders.items() if order.declined)
        self.provider = LedgerProvider(declines, fault=self.provider_fault)
        self.handlers = PaymentHandlers(
            store=self.store,
            publisher=self.outbox,
            queue=self.queue,
            clock=self.clock,
            inbox_capacity=capacity,
        ).routes()
        self.worker = PaymentWorker(
            store=self.store,
            queue=self.queue,
            provider=self.provider,
            limiter=AmplePermits(),
            publisher=self.outbox,
            clock=self.clock,
            now=self.clock.monotonic,
            sleep=self.clock.sleep,
            draw=self.random.random,
        )
        self.stream = self.deliveries()
        self.pending = list(self.stream)

    def deliveries(self) -> list[Received]:
        """Every command and its copies, at positions of their own, in any order: they overtake each other."""
        found: list[Received] = []
        for name, order in self.orders.items():
            capture = capture_command(name, NOW + dt.timedelta(seconds=order.patience))
            asked: list[tuple[Message, int]] = [(capture, number) for number in range(order.captures)]
            asked += [(refund_command(name), number) for number in range(order.refunds)]
            for message, number in asked:
                event_id = f"{name}/{message.type_name()}/{number}"
                for _ in range(1 + order.copies):
                    found.append(received(message, len(found) + 1, event_id))
        self.random.shuffle(found)
        return found

    def run(self) -> None:
        """A wild phase, and a quiet one in which everything must drain."""
        for _ in range(60):
            self.act()
        self.faults = 0
        self.drain()

    def replay(self) -> None:
        """Everything once more, as a replay from TRIM_HORIZON delivers it."""
        self.pending = list(self.stream)
        self.drain()

    def drain(self) -> None:
        for _ in range(500):
            if not self.pending and not self.queue.depth():
                return
            self.clock.sleep(self.random.choice((1, 61)))
            self.act()
        raise AssertionError("the payments do not come to rest")

    def act(self) -> None:
        """One delivery or one message, to its end or its crash."""
        try:
            if self.pending and self.random.random() < 0.5:
                delivery = self.random.choice(self.pending)
                self.handlers[delivery.envelope.type](delivery)
                if delivery in self.pending:  # else an interruption has finished it
                    self.pending.remove(delivery)
            else:
                for message in self.queue.receive(1, wait=0, visibility=60):
                    self.worker.work(message, self.clock.seconds)
        except (CrashedError, DependencyError):
            self.clock.sleep(1)  # it will be delivered again

    def interrupt(self) -> None:
        """Before a call: another worker or another shard's owner may do its own thing from start to end."""
        if self.faults and self.depth < 2 and self.random.random() < 0.15:
            self.depth += 1
            self.clock.sleep(self.random.choice((0, 0, 61)))
            self.act()
            self.depth -= 1

    def fault(self, kinds: Sequence[str]) -> str | None:
        self.interrupt()
        if self.faults and self.random.random() < 0.2:
            self.faults -= 1
            return self.random.choice(kinds)
        return None

    def store_fault(self, operation: str, writes: Sequence[Write]) -> Fault | None:
        if not writes:
            return None
        kind = self.fault(("before", "after", "conflict", "crash"))
        if kind == "crash":
            raise CrashedError
        return Fault(kind) if kind else None

    def call_fault(self, _: str) -> str | None:
        return self.fault(("before", "after", "crash"))

    def provider_fault(self, _: str) -> str | None:
        return self.fault(("before", "after", "throttle", "crash"))


@settings(max_examples=200, deadline=None)
@given(orders=ORDERS, seed=st.integers(0, 2**32), capacity=st.sampled_from((1, 2, 4, 64)))
def test_money_is_right_in_the_end(orders: list[Order], seed: int, capacity: int) -> None:
    """At most one charge, refunded is zero, every command's order has one definite reply, no guesses.

    All of it however little the inbox keeps. A replay changes nothing of it, and nothing waits for one
    to be right.
    """
    world = World(orders, seed, capacity)
    world.run()
    check_books(world)
    world.replay()
    check_books(world)


def check_books(world: World) -> None:
    assert world.worker.counters.snapshot()["failed"] == 0
    by_id: dict[str, bytes] = {}
    for encoded, envelope in zip(world.outbox.published, world.outbox.envelopes(), strict=True):
        assert by_id.setdefault(envelope.id, encoded) == encoded, "a reply was decided twice"
    for name, order in world.orders.items():
        check_order(world, name, order)


def check_order(world: World, name: str, order: Order) -> None:
    messages = world.outbox.messages(name)
    charges = [charge for charge in world.provider.charges.values() if charge.order_id == name]
    assert len(charges) <= 1
    captured = [each for each in messages if isinstance(each, PaymentCaptured)]
    declined = [each for each in messages if isinstance(each, PaymentDeclined)]
    refunded = [each for each in messages if isinstance(each, PaymentRefunded)]
    reasons = {each.reason for each in declined}
    stored = PaymentRecords(world.store).load(name)
    if stored is not None:
        assert not stored.record.payment.open
    assert bool(captured or declined) == bool(order.captures)
    assert bool(refunded) == bool(order.refunds)
    if order.refunds:
        assert world.provider.net(name) == 0
    else:
        assert world.provider.net(name) == (AMOUNT if captured else 0)
        assert not (captured and declined), "an order is charged or it is not"
    assert ("card_declined" not in reasons) or order.declined
    assert not (captured and order.declined)
    assert ("refunded" not in reasons) or order.refunds
    assert ("expired" not in reasons) or order.patience < 100_000
