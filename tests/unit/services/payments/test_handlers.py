"""What the stream handlers commit, answer and ring for."""

import pytest

from fakes.payment_queue import MemoryPaymentQueue
from fakes.payments import Outbox, TickingClock, capture_command, received, refund_command
from orderstream.errors import DependencyError
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import PaymentDeclined, PaymentRefunded, StepResolved
from orderstream_workers.services.payments import PaymentHandlers
from orderstream_workers.services.payments.domain import Phase, begin, charged
from orderstream_workers.services.payments.records import PaymentRecords


class BrokenQueue(MemoryPaymentQueue):
    """A queue that is out of reach until it is mended."""

    broken = True

    def send(self, order_id: str, delay: int = 0) -> None:
        if self.broken:
            raise DependencyError("sqs", "SendMessage", "on demand")
        super().send(order_id, delay)


class World:
    def __init__(self, queue: MemoryPaymentQueue | None = None) -> None:
        self.store = MemoryStore()
        self.outbox = Outbox()
        self.queue = queue or MemoryPaymentQueue()
        self.handlers = PaymentHandlers(
            store=self.store, publisher=self.outbox, queue=self.queue, clock=TickingClock()
        )

    def deliver(self, delivery) -> None:
        self.handlers.routes()[delivery.envelope.type](delivery)

    def phase(self) -> Phase | None:
        stored = PaymentRecords(self.store).load("o-1")
        return stored.record.payment.phase if stored else None


def test_a_capture_is_queued() -> None:
    """It is committed and a worker is woken; nothing is answered yet."""
    world = World()
    world.deliver(received(capture_command()))
    assert world.phase() is Phase.QUEUED
    assert world.queue.depth() == 1
    assert world.outbox.published == []


def test_a_record_is_not_released_before_its_message_is_sent() -> None:
    """A queue out of reach fails the delivery, and the redelivery rings after all."""
    queue = BrokenQueue()
    world = World(queue)
    with pytest.raises(DependencyError):
        world.deliver(received(capture_command()))
    assert world.phase() is Phase.QUEUED
    queue.broken = False
    world.deliver(received(capture_command()))
    assert queue.depth() == 1


def test_a_refund_that_overtakes_leaves_a_tombstone() -> None:
    """The late capture is declined forever, and no worker is woken."""
    world = World()
    world.deliver(received(refund_command(), 1))
    world.deliver(received(capture_command(), 2))
    assert world.phase() is Phase.VOIDED
    assert world.queue.depth() == 0
    assert world.outbox.messages() == [
        PaymentRefunded(order_id="o-1", amount_minor=0),
        PaymentDeclined(order_id="o-1", reason="refunded"),
    ]


def test_a_refund_of_what_is_queued_answers_both_commands() -> None:
    """The capture that will never be tried is declined, the refund is granted, each to its own command."""
    world = World()
    world.deliver(received(capture_command(), 1, "capture"))
    world.deliver(received(refund_command(), 2, "refund"))
    causes = [(each.type, each.causation_id, each.correlation_id) for each in world.outbox.envelopes()]
    assert causes == [
        ("PaymentDeclined", "capture", "payment:1"),
        ("PaymentRefunded", "refund", "payment:1"),
    ]


def test_a_repeated_refund_of_another_attempt_is_answered_again() -> None:
    """A reply that the sender has missed comes again when it asks again."""
    world = World()
    world.deliver(received(refund_command(), 1, "first"))
    world.deliver(received(refund_command(), 2, "second"))
    assert [each.causation_id for each in world.outbox.envelopes()] == ["first", "second"]


def test_redelivery_sends_the_same_bytes_and_a_copy_sends_nothing() -> None:
    """The same record publishes what it has committed; the same event elsewhere in the stream is dropped."""
    world = World()
    world.deliver(received(refund_command(), 1))
    world.deliver(received(refund_command(), 1))
    world.deliver(received(refund_command(), 9))
    first, second = world.outbox.published
    assert first == second


def test_a_refund_wakes_a_worker_whose_message_was_lost() -> None:
    """An order whose message ended in the dead letters stays compensatable."""
    world = World()
    world.deliver(received(capture_command(), 1))
    stored = PaymentRecords(world.store).load("o-1")
    assert stored is not None
    (lost,) = world.queue.receive(1, wait=0, visibility=60)
    world.queue.delete(lost)
    outcome = begin(stored.record.payment, TickingClock()())
    PaymentRecords(world.store).advance(stored, stored.record.decided(outcome, TickingClock()()))
    world.deliver(received(refund_command(), 2))
    assert world.phase() is Phase.CAPTURING
    assert world.queue.depth() == 1


def resolved(step: str) -> StepResolved:
    return StepResolved(
        order_id="o-1", step=step, attempt=3, decision="done", operator="ann", reason="paid back at the bank"
    )


def test_an_operator_who_has_given_the_money_back_spares_the_provider() -> None:
    """The refund is answered at once, and a worker that is woken for it finds nothing to do."""
    world = World()
    world.deliver(received(capture_command(), 1))
    records = PaymentRecords(world.store)
    for step in (lambda payment: begin(payment, TickingClock()()), lambda payment: charged(payment, "ch_1")):
        stored = records.load("o-1")
        assert stored is not None
        records.advance(stored, stored.record.decided(step(stored.record.payment), TickingClock()()))
    world.deliver(received(refund_command(), 2))
    assert world.phase() is Phase.REFUNDING
    world.deliver(received(resolved("ship_order"), 3, "other"))
    assert world.phase() is Phase.REFUNDING
    for _ in range(2):
        world.deliver(received(resolved("capture_payment"), 4, "decided"))
    assert world.phase() is Phase.REFUNDED
    assert [type(message) for message in world.outbox.messages()] == [PaymentRefunded]


def test_a_decision_about_an_order_that_was_never_charged_is_passed_over() -> None:
    """There is nothing to settle."""
    world = World()
    world.deliver(received(resolved("capture_payment"), 1, "decided"))
    assert world.phase() is None
