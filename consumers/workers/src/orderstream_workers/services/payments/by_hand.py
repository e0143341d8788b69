"""What an operator has given back: written into the payment itself, so that the provider is not asked."""

import datetime as dt

from orderstream_consumer.store import ConditionFailedError, Store
from orderstream_workers.services.payments.domain import refund_by_hand
from orderstream_workers.services.payments.records import PaymentRecords


def refunded_by_hand(store: Store, order_id: str, now: dt.datetime) -> None:
    """Record that the money was given back past the provider; doing it again does no harm.

    Payments may be down, with the refund waiting in front of any event that could report it: so the payment
    is written at once. An order that was never charged has nothing to give back, and stays as it is.

    Args:
        store: Where payments are kept.
        order_id: The order.
        now: The time (UTC).

    Raises:
        DependencyError: the store did not respond; do it again.
    """
    records = PaymentRecords(store)
    while (stored := records.load(order_id)) is not None:
        outcome = refund_by_hand(stored.record.payment)
        if outcome.payment == stored.record.payment:
            return
        record = stored.record.decided(outcome, now)
        try:
            records.advance(stored, record.keeping(record.replies_to(outcome)))
        except ConditionFailedError:
            continue  # a worker was faster: look again at what is left to do
