"""Settling one order's payment with the provider: intent, call, response, each committed before the next."""

import datetime as dt
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec

from orderstream.errors import OrderstreamError
from orderstream.messages import Envelope
from orderstream.observability.log_context import log_about
from orderstream.observability.tracing import Tracer
from orderstream_consumer.idempotency import TOLERATED_SKEW, Publisher
from orderstream_consumer.store import ConditionFailedError, Store
from orderstream_workers.services.payments import domain
from orderstream_workers.services.payments.domain import Charge, Payment, PaymentOutcome, Phase, Refund
from orderstream_workers.services.payments.provider import Charged, Declined, PaymentProvider
from orderstream_workers.services.payments.records import PaymentRecords, Stored
from orderstream_workers.services.payments.spans import NO_TRACER

logger = logging.getLogger(__name__)


class UnknownPaymentError(OrderstreamError):
    """A message names an order that has no payment: state was lost, or another program writes to the queue.

    Args:
        order_id: The order.
    """

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(
            f"order {order_id!r} has no payment record; restore the table of payments, then redrive the "
            "message with `orderstream dlq`, or discard it if there was never such an order"
        )


class Settlement:
    """Carries out whatever an order's payment still has to do.

    It may be run for one order by several workers at once, and again after a crash at any point: state moves
    only by conditional writes, and the provider knows a step by its key.

    Args:
        store: Where payments are kept.
        provider: Charges and gives back.
        publisher: Sends the replies, and returns once they are acknowledged.
        clock: The time (UTC, with zone), off by no more than ``TOLERATED_SKEW``: see ``HostClock``.
        tracer: Knows the current span, which replies name as their cause; by default nothing is traced.
    """

    def __init__(
        self,
        *,
        store: Store,
        provider: PaymentProvider,
        publisher: Publisher,
        clock: Callable[[], dt.datetime],
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._records = PaymentRecords(store)
        self._provider = provider
        self._publisher = publisher
        self._clock = clock
        self._tracer = tracer

    def settle(self, order_id: str, permit: Callable[[], AbstractContextManager[None]]) -> Payment:
        """Bring a payment to rest and send its replies, or send them again.

        Args:
            order_id: The order.
            permit: Entered once a call to the provider may be made, and left behind it; one for each call.

        Returns:
            The payment at rest.

        Raises:
            DependencyError: something did not respond; settle it again later.
            UnknownPaymentError: there is no such payment.
            ProviderRefusedError: the provider does not understand us.
        """
        stored = self._load(order_id)
        if stored.record.capture is not None:
            log_about(conversation_id=stored.record.capture.conversation_id)
        while stored.record.payment.open:
            try:
                with permit():
                    stored = self._step(stored)
            except ConditionFailedError:
                logger.info("another worker was faster", extra={"order_id": order_id})
                stored = self._load(order_id)
        if stored.record.replies:
            self._publisher.publish(stored.record.replies, order_id)
        return stored.record.payment

    def _load(self, order_id: str) -> Stored:
        stored = self._records.load(order_id)
        if stored is None:
            raise UnknownPaymentError(order_id)
        return stored

    def _step(self, stored: Stored) -> Stored:
        if stored.record.payment.phase is Phase.QUEUED:
            stored = self._record(stored, domain.begin(stored.record.payment, self._clock(), TOLERATED_SKEW))
        request = domain.call_of(stored.record.payment)
        if request is None:
            return stored
        resolve = self._call(request)
        while True:
            try:
                return self._record(stored, resolve(stored.record.payment))
            except ConditionFailedError:
                # A refund was noted meanwhile, or another worker has recorded the same reply: it is as
                # definite as before, so it is applied to what the payment is now.
                stored = self._load(request.order_id)
                if isinstance(request, Refund) and stored.record.payment.refunded_by_hand:
                    logger.error(
                        "ALERT: refunded by the provider and by hand", extra={"order_id": request.order_id}
                    )

    def _call(self, request: Charge | Refund) -> Callable[[Payment], PaymentOutcome]:
        """Ask the provider; gives what its response does to the payment."""
        if isinstance(request, Refund):
            refund_id = self._provider.refund(request).refund_id
            return lambda payment: domain.refunded(payment, refund_id)
        match self._provider.charge(request):
            case Charged(charge_id):
                return lambda payment: domain.charged(payment, charge_id)
            case Declined(reason):
                return lambda payment: domain.declined(payment, reason)

    def _record(self, stored: Stored, outcome: PaymentOutcome) -> Stored:
        if outcome.payment == stored.record.payment:
            return stored
        record = stored.record.decided(outcome, self._clock())
        replies = record.replies_to(
            outcome, capture=self._decided_here(record.capture), refund=self._decided_here(record.refund)
        )
        return self._records.advance(stored, record.keeping(replies))

    def _decided_here(self, command: Envelope | None) -> Envelope | None:
        """A command whose reply will name the current span as its cause."""
        traceparent = self._tracer.current().traceparent
        if command is None or traceparent is None:
            return command
        return msgspec.structs.replace(command, traceparent=traceparent)
