"""Payments: captured at most once per order, given back whole, with a provider that may not respond."""

from typing import Final

from orderstream_consumer.store import TableSpec
from orderstream_workers.services.payments.counters import PaymentCounters
from orderstream_workers.services.payments.dead_letters import PaymentDeadLetters
from orderstream_workers.services.payments.handlers import PaymentHandlers
from orderstream_workers.services.payments.metrics import METRICS
from orderstream_workers.services.payments.provider import (
    PaymentProvider,
    ProviderRefusedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from orderstream_workers.services.payments.queue import PaymentQueue, QueuedPayment, SqsPaymentQueue
from orderstream_workers.services.payments.queue_limits import MessageRefusedError
from orderstream_workers.services.payments.records import PAYMENTS
from orderstream_workers.services.payments.spans import QueuedSpans, TracedPaymentQueue
from orderstream_workers.services.payments.standing import PaymentStanding
from orderstream_workers.services.payments.worker import PaymentWorker

APPLICATION: Final = "payments"
"""The consumer application's name."""

TABLES: Final[tuple[TableSpec, ...]] = (PAYMENTS,)
"""The tables that payments keep their state in."""

__all__ = [
    "APPLICATION",
    "METRICS",
    "TABLES",
    "MessageRefusedError",
    "PaymentCounters",
    "PaymentDeadLetters",
    "PaymentHandlers",
    "PaymentProvider",
    "PaymentQueue",
    "PaymentStanding",
    "PaymentWorker",
    "ProviderRefusedError",
    "ProviderThrottledError",
    "ProviderUnavailableError",
    "QueuedPayment",
    "QueuedSpans",
    "SqsPaymentQueue",
    "TracedPaymentQueue",
]
