"""The payment provider: the requests to it, and its possible responses."""

from dataclasses import dataclass
from typing import Protocol

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_workers.services.payments.domain import Charge, Refund


@dataclass(frozen=True, slots=True)
class Charged:
    """The customer was charged, by this request or by an earlier one under the same key."""

    charge_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The customer was not charged, and will not be under this key."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refunded:
    """The charge was given back."""

    refund_id: str


class ProviderUnavailableError(DependencyError):
    """No definite response: the request may have been carried out. Ask again under the same key.

    Args:
        operation: What was asked.
        reason: What happened instead of a response.
        retry_after: Seconds that the provider wants us to wait; None if it did not say.
    """

    def __init__(self, operation: str, reason: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__("payments API", operation, reason)


class ProviderThrottledError(ProviderUnavailableError):
    """The provider's limit is exceeded (429); nothing was carried out."""


class ProviderRefusedError(OrderstreamError):
    """The provider does not understand the request: a defect of ours, which no retry resolves.

    Args:
        operation: What was asked.
        status: HTTP status of the response.
        order_id: The order.
    """

    def __init__(self, operation: str, status: int, order_id: str) -> None:
        self.operation = operation
        self.status = status
        self.order_id = order_id
        super().__init__(
            f"payments API refused {operation} for order {order_id!r} with status {status}; "
            "compare the payment's record with the provider's ledger, then redrive the message"
        )


class PaymentProvider(Protocol):
    """Charges and gives back, once per idempotency key. Safe to use from many threads."""

    def charge(self, request: Charge) -> Charged | Declined:
        """Charge the customer.

        Raises:
            ProviderUnavailableError: no definite response; ask again under the same key.
            ProviderRefusedError: the request makes no sense to the provider.
        """

    def refund(self, request: Refund) -> Refunded:
        """Give a charge back.

        Raises:
            ProviderUnavailableError: no definite response; ask again under the same key.
            ProviderRefusedError: the request makes no sense to the provider.
        """
