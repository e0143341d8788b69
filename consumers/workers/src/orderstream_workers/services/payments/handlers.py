"""Hearing commands from the stream: write them down, then wake a payment worker."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from orderstream_consumer.idempotency import CAPACITY, Decision, Once, Publisher, Received
from orderstream_consumer.store import Store
from orderstream_orders.contracts import CapturePayment, RefundPayment, StepResolved
from orderstream_workers.services.payments.domain import capture, refund, refund_by_hand
from orderstream_workers.services.payments.queue import PaymentQueue
from orderstream_workers.services.payments.records import PAYMENTS, PaymentRecord

_STEP: Final = "capture_payment"
"""What the coordinator calls the step whose compensation is the refund."""


class PaymentHandlers:
    """Carries out ``CapturePayment`` and ``RefundPayment`` as far as the provider is not needed.

    Args:
        store: Where payments are kept.
        publisher: Sends the replies that are known at once, and returns when they are acknowledged.
        queue: Wakes a payment worker.
        clock: The time (UTC, with zone).
        inbox_capacity: See ``Once``.
    """

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        queue: PaymentQueue,
        clock: Callable[[], dt.datetime],
        inbox_capacity: int = CAPACITY,
    ) -> None:
        self._once = Once(
            store=store,
            table=PAYMENTS.name,
            state_type=PaymentRecord,
            publisher=publisher,
            inbox_capacity=inbox_capacity,
        )
        self._queue = queue
        self._clock = clock

    def routes(self) -> Mapping[str, Callable[[Received], None]]:
        """The handler of each type that payments act on, by type name."""
        return {
            CapturePayment.type_name(): self.capture_payment,
            RefundPayment.type_name(): self.refund_payment,
            StepResolved.type_name(): self.step_resolved,
        }

    def capture_payment(self, received: Received) -> None:
        """Queue a capture, or reply from what is known.

        Raises:
            DependencyError: the store, the stream or the queue did not respond; handle it again.
        """
        command = received.message(CapturePayment)
        held_back = max(received.arrival - received.envelope.time, dt.timedelta(0))

        def decide(record: PaymentRecord | None) -> Decision[PaymentRecord]:
            outcome = capture(record.payment if record else None, command, held_back)
            known = record or PaymentRecord(payment=outcome.payment)
            changed = msgspec.structs.replace(
                known.decided(outcome, self._clock()), capture=known.capture or received.envelope
            )
            return Decision(changed, changed.replies_to(outcome, capture=received.envelope))

        self._once.apply(received, decide)
        self._wake(received.subject)

    def refund_payment(self, received: Received) -> None:
        """Void, note or queue a refund, or reply from what is known.

        Raises:
            DependencyError: the store, the stream or the queue did not respond; handle it again.
        """
        command = received.message(RefundPayment)

        def decide(record: PaymentRecord | None) -> Decision[PaymentRecord]:
            outcome = refund(record.payment if record else None, command)
            known = record or PaymentRecord(payment=outcome.payment)
            changed = msgspec.structs.replace(
                known.decided(outcome, self._clock()), refund=known.refund or received.envelope
            )
            return Decision(changed, changed.replies_to(outcome, refund=received.envelope))

        self._once.apply(received, decide)
        self._wake(received.subject)

    def step_resolved(self, received: Received) -> None:
        """Apply an operator's decision that the money is returned, so that the provider is not asked again.

        Raises:
            DependencyError: the store or the stream did not respond; handle it again.
        """
        resolved = received.message(StepResolved)
        if (resolved.step, resolved.decision) != (_STEP, "done"):
            return

        def decide(record: PaymentRecord | None) -> Decision[PaymentRecord] | None:
            if record is None:
                return None
            outcome = refund_by_hand(record.payment)
            if outcome.payment == record.payment:
                return None
            changed = record.decided(outcome, self._clock())
            return Decision(changed, changed.replies_to(outcome))

        self._once.apply(received, decide)

    def _wake(self, order_id: str) -> None:
        """Send a message if a worker has something to do.

        The state decides, not the delivery: a redelivered command, and one that is repeated because its
        message ended in the dead letters, wakes a worker again. A message too many is harmless.
        """
        record, _ = self._once.load(order_id)
        if record is not None and record.payment.open:
            self._queue.send(order_id)
