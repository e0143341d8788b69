"""What the payment worker does with permits, messages, and a provider that may not answer."""

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable, Sequence

import pytest

from fakes.payment_queue import MemoryPaymentQueue
from fakes.payments import (
    NOW,
    AmplePermits,
    LedgerProvider,
    Outbox,
    TickingClock,
    capture_command,
    received,
    refund_command,
)
from orderstream.errors import DependencyError
from orderstream_consumer.idempotency import TOLERATED_SKEW, HostClock
from orderstream_consumer.limits import Permits, RateLimiter
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import PaymentCaptured, PaymentDeclined, PaymentRefunded
from orderstream_workers.services.payments import PaymentHandlers, PaymentWorker
from orderstream_workers.services.payments.domain import Charge, Phase
from orderstream_workers.services.payments.provider import Charged, Declined
from orderstream_workers.services.payments.queue import QueuedPayment
from orderstream_workers.services.payments.records import PaymentRecords


class World:
    """The stream handlers and one worker around one store, queue and provider."""

    def __init__(
        self,
        provider: LedgerProvider | None = None,
        limiter: RateLimiter | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self.clock = TickingClock()
        self.store = MemoryStore()
        self.outbox = outbox or Outbox()
        self.provider = provider or LedgerProvider()
        self.queue = MemoryPaymentQueue(self.clock.monotonic)
        self.handlers = PaymentHandlers(
            store=self.store, publisher=self.outbox, queue=self.queue, clock=self.clock
        )
        self.worker = PaymentWorker(
            store=self.store,
            queue=self.queue,
            provider=self.provider,
            limiter=limiter or AmplePermits(),
            publisher=self.outbox,
            clock=self.clock,
            threads=2,
            now=self.clock.monotonic,
            sleep=self.clock.sleep,
            draw=lambda: 1.0,
        )

    def deliver(self, *deliveries) -> None:
        for delivery in deliveries:
            self.handlers.routes()[delivery.envelope.type](delivery)

    def work(self) -> QueuedPayment:
        """Receive one message and work on it."""
        (message,) = self.queue.receive(1, wait=0, visibility=60)
        self.worker.work(message, self.clock.seconds)
        return message

    def phase(self, order_id: str = "o-1") -> Phase:
        stored = PaymentRecords(self.store).load(order_id)
        assert stored is not None
        return stored.record.payment.phase


def test_a_capture_is_charged_once_and_answered() -> None:
    """The reply follows from the command, and the message is released behind it."""
    world = World()
    world.deliver(received(capture_command()))
    world.work()
    assert world.phase() is Phase.CAPTURED
    assert world.queue.depth() == 0
    (reply,) = world.outbox.envelopes()
    assert isinstance(reply.message(), PaymentCaptured)
    assert (reply.causation_id, reply.correlation_id) == ("o-1/payments.CapturePayment", "payment:1")
    assert (reply.conversation_id, reply.source) == ("c-1", "payments")


def test_a_declined_card_is_an_outcome() -> None:
    """The provider's refusal is the reply, and final."""
    world = World(LedgerProvider(declines=frozenset({"o-1"})))
    world.deliver(received(capture_command()))
    world.work()
    assert world.outbox.messages() == [PaymentDeclined(order_id="o-1", reason="card_declined")]
    assert world.phase() is Phase.DECLINED


def test_a_charge_is_given_back() -> None:
    """A refund after the capture is carried out by the worker and answered with what was given back."""
    world = World()
    world.deliver(received(capture_command(), 1))
    world.work()
    world.deliver(received(refund_command(), 2))
    world.work()
    assert world.provider.net("o-1") == 0
    last = world.outbox.messages()[-1]
    assert isinstance(last, PaymentRefunded)
    assert last.amount_minor == 1230


def test_too_late_is_declined_without_a_call() -> None:
    """What was never asked of the provider is not asked after its time."""
    world = World()
    world.deliver(received(capture_command(not_after=NOW + dt.timedelta(seconds=5))))
    world.clock.sleep(36)
    world.work()
    assert world.provider.asked == []
    assert world.outbox.messages() == [PaymentDeclined(order_id="o-1", reason="expired")]


def test_a_command_that_was_held_back_has_its_whole_time_from_when_it_arrives() -> None:
    """A coordinator that is down between its commit and its publication declines no order."""
    world = World()
    late = received(capture_command(not_after=NOW + dt.timedelta(minutes=15)))
    hour = dt.timedelta(hours=1)
    world.clock.sleep(hour.total_seconds() + 14 * 60)
    world.deliver(dataclasses.replace(late, arrival=NOW + hour))
    world.work()
    assert world.phase() is Phase.CAPTURED
    world.deliver(dataclasses.replace(late, position=Position(2), arrival=NOW + 2 * hour))
    assert world.provider.asked == ["o-1:capture"]


def test_a_command_that_was_held_back_can_be_too_late_all_the_same() -> None:
    """Its time is counted from its arrival, and then it is over."""
    world = World()
    late = received(capture_command(not_after=NOW + dt.timedelta(minutes=15)))
    world.clock.sleep(3600 + 16 * 60)
    world.deliver(dataclasses.replace(late, arrival=NOW + dt.timedelta(hours=1)))
    world.work()
    assert world.outbox.messages() == [PaymentDeclined(order_id="o-1", reason="expired")]


def test_what_is_in_doubt_is_resolved_however_late() -> None:
    """A lost reply is asked for again under the same key, though the time to charge is over."""
    faults = iter(["after"])
    world = World(LedgerProvider(fault=lambda _: next(faults, None)))
    world.deliver(received(capture_command(not_after=NOW + dt.timedelta(seconds=5))))
    world.work()
    assert world.phase() is Phase.CAPTURING
    assert world.outbox.published == []
    world.clock.sleep(60)
    world.work()
    assert world.provider.asked == ["o-1:capture", "o-1:capture"]
    assert isinstance(world.outbox.messages()[0], PaymentCaptured)


@pytest.mark.parametrize("fault", ["before", "after", "throttle"])
def test_no_reply_is_never_a_decline(fault: str) -> None:
    """Outages, timeouts and 429 hand the message back for later and are counted."""
    world = World(LedgerProvider(fault=lambda _: fault))
    world.deliver(received(capture_command()))
    world.work()
    assert world.phase() is Phase.CAPTURING
    assert world.outbox.published == []
    assert world.queue.receive(1, wait=0, visibility=0) == []
    counts = world.worker.counters.snapshot()
    assert (counts["calls"], counts["unavailable"], counts["postponed"]) == (1, 1, 1)
    assert counts["throttled"] == (1 if fault == "throttle" else 0)


def test_an_outage_burns_no_receives() -> None:
    """Through a long outage the message is sent anew before its receives make it a dead letter."""
    world = World(LedgerProvider(fault=lambda _: "before"))
    world.deliver(received(capture_command()))
    receives = []
    for _ in range(40):
        receives.append(world.work().receives)
        world.clock.sleep(61)
    assert max(receives) <= 5
    assert world.queue.depth() == 1


def test_a_refund_during_the_capture_is_carried_out_in_the_same_run() -> None:
    """It is noted while the provider is being asked, and the charge is given back right behind."""
    world = World()

    def interrupt(key: str) -> None:
        if key == "o-1:capture":
            world.deliver(received(refund_command(), 2))

    world.provider.fault = interrupt
    world.deliver(received(capture_command(), 1))
    world.work()
    assert world.provider.asked == ["o-1:capture", "o-1:refund"]
    assert [type(message) for message in world.outbox.messages()] == [PaymentCaptured, PaymentRefunded]
    assert world.provider.net("o-1") == 0
    assert world.phase() is Phase.REFUNDED


def test_a_settled_payment_sends_its_stored_reply_again() -> None:
    """A worker that died before it released the message is finished by the next, byte for byte."""
    outbox = Outbox(fault=lambda _: "after")
    world = World(outbox=outbox)
    world.deliver(received(capture_command()))
    world.work()
    outbox.fault = lambda _: None
    world.clock.sleep(61)
    world.work()
    first, second = outbox.published
    assert first == second
    assert world.provider.asked == ["o-1:capture"]
    assert world.queue.depth() == 0


def test_two_workers_with_one_order_charge_once() -> None:
    """The slower one finds the reply recorded and sends the same."""
    world = World()

    def second_worker(_: str) -> None:
        world.provider.fault = lambda _: None
        world.worker.work(QueuedPayment("o-1", "0/99", 1), world.clock.seconds)

    world.provider.fault = second_worker
    world.deliver(received(capture_command()))
    world.work()
    assert len(world.provider.charges) == 1
    first, second = world.outbox.published
    assert first == second


def test_a_message_of_no_known_order_is_left_to_its_receives() -> None:
    """It is not deleted: it becomes a dead letter that somebody looks at."""
    world = World()
    world.queue.send("o-404")
    world.work()
    assert world.queue.depth() == 1
    assert world.worker.counters.snapshot()["failed"] == 1


class StrictLimiter:
    """Grants what is left, and notes what was granted when."""

    def __init__(self, clock: Callable[[], float], interval: float) -> None:
        self.clock, self.interval, self.free_at = clock, interval, 0.0
        self.granted: list[float] = []

    def take(self, wanted: int) -> Permits:
        now = self.clock()
        if now < self.free_at:
            return Permits(0, self.free_at - now)
        self.free_at = now + self.interval
        self.granted.append(now)
        return Permits(1, 0.0)


def test_an_old_permit_is_not_used() -> None:
    """Time spent on the way from the permit to the call needs a new permit."""
    world = World()
    limiter = StrictLimiter(world.clock.monotonic, 1.0)
    world.worker._limiter = limiter
    world.deliver(received(capture_command()))
    (message,) = world.queue.receive(1, wait=0, visibility=60)
    world.clock.sleep(5)
    world.worker.work(message, granted_at=0.0)
    assert limiter.granted == [5.0]
    assert len(world.provider.asked) == 1


def test_no_permit_hands_the_message_back() -> None:
    """A worker that gets no turn in time asks nothing, and declines nothing."""
    world = World()

    class Never:
        def take(self, wanted: int) -> Permits:
            return Permits(0, 4.0)

    world.worker._limiter = Never()
    world.deliver(received(capture_command()))
    (message,) = world.queue.receive(1, wait=0, visibility=60)
    world.worker.work(message, granted_at=-1.0)
    assert world.provider.asked == []
    assert world.phase() is Phase.QUEUED
    assert world.queue.depth() == 1


class StoppingProvider(LedgerProvider):
    """Stops the worker once it has been asked often enough."""

    stop: threading.Event
    enough: int

    def charge(self, request: Charge) -> Charged | Declined:
        reply = super().charge(request)
        if len(self.asked) >= self.enough:
            self.stop.set()
        return reply


class CountingQueue(MemoryPaymentQueue):
    """Notes how many messages each receive asked for."""

    def receive(self, limit: int, *, wait: int, visibility: int) -> Sequence[QueuedPayment]:
        self.limits.append(limit)
        return super().receive(limit, wait=wait, visibility=visibility)


class SinglePermits:
    """Grants one permit at a time, and nothing while it is out of reach."""

    def __init__(self) -> None:
        self.failures = 1

    def take(self, wanted: int) -> Permits:
        if self.failures:
            self.failures -= 1
            raise DependencyError("dynamodb", "GetItem", "on demand")
        return Permits(1, 0.0)


def test_run_works_off_the_queue_and_stops() -> None:
    """It receives no more messages than permits, survives an outage, and finishes what it has in hand."""
    world = World()
    provider = StoppingProvider()
    provider.stop, provider.enough = threading.Event(), 6
    queue = CountingQueue()
    queue.limits = []
    handlers = PaymentHandlers(store=world.store, publisher=world.outbox, queue=queue, clock=world.clock)
    for number in range(6):
        handlers.capture_payment(received(capture_command(f"o-{number}"), number))
    worker = PaymentWorker(
        store=world.store,
        queue=queue,
        provider=provider,
        limiter=SinglePermits(),
        publisher=world.outbox,
        clock=world.clock,
        threads=3,
        wait=0,
    )
    worker.run(provider.stop)
    assert {world.phase(f"o-{number}") for number in range(6)} == {Phase.CAPTURED}
    assert set(queue.limits) == {1}
    assert queue.depth() == 0
    assert worker.counters.snapshot()["settled"] == 6


def test_a_clock_that_is_as_wrong_as_is_tolerated_declines_nothing() -> None:
    """The deadline has passed by this host's clock alone: the order is charged."""
    world = World()
    world.deliver(received(capture_command(not_after=NOW + dt.timedelta(seconds=5))))
    world.clock.sleep(5 + TOLERATED_SKEW.total_seconds())
    world.work()
    assert [type(message) for message in world.outbox.messages()] == [PaymentCaptured]


def test_a_worker_sixteen_minutes_ahead_declines_nothing() -> None:
    """Its clock disagrees with AWS': it decides nothing, and hands its messages to others."""
    world = World()
    skewed = HostClock(lambda: world.clock() + dt.timedelta(minutes=16), world.clock.monotonic)
    skewed.observe(world.clock(), 0.1)
    worker = PaymentWorker(
        store=world.store,
        queue=world.queue,
        provider=world.provider,
        limiter=AmplePermits(),
        publisher=world.outbox,
        clock=skewed,
        now=world.clock.monotonic,
    )
    world.deliver(received(capture_command()))
    for message in world.queue.receive(1, wait=0, visibility=60):
        worker.work(message, world.clock.seconds)
    assert (world.outbox.published, world.provider.asked) == ([], [])
    assert worker.counters.snapshot()["postponed"] == 1
    world.clock.sleep(60)
    world.work()
    assert [type(message) for message in world.outbox.messages()] == [PaymentCaptured]
