"""The payment provider: what is asked of it, what it can answer, and its client over HTTP."""

from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_workers.services.payments.domain import Charge, Refund

_TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0)


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
    """No definite answer: the request may have been carried out. Ask again under the same key.

    Args:
        operation: What was asked.
        reason: What happened instead of an answer.
        retry_after: Seconds that the provider wants us to wait; None if it did not say.
    """

    def __init__(self, operation: str, reason: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__("payments API", operation, reason)


class ProviderThrottledError(ProviderUnavailableError):
    """The provider's limit is exceeded (429); nothing was carried out."""


class ProviderRefusedError(OrderstreamError):
    """The provider does not understand the request: a mistake of ours, which no retry mends.

    Args:
        operation: What was asked.
        status: HTTP status of the answer.
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
            ProviderUnavailableError: no definite answer; ask again under the same key.
            ProviderRefusedError: the request makes no sense to the provider.
        """

    def refund(self, request: Refund) -> Refunded:
        """Give a charge back.

        Raises:
            ProviderUnavailableError: no definite answer; ask again under the same key.
            ProviderRefusedError: the request makes no sense to the provider.
        """


class HttpPaymentProvider:
    """The provider's HTTP API.

    A timeout, a broken connection, 408, 409, 425, 429 and 5xx are no answers.

    Args:
        client: An httpx client; its own timeout is not used.
        base_url: Where the provider is, without a slash at the end.
    """

    def __init__(self, client: httpx.Client, base_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")

    def charge(self, request: Charge) -> Charged | Declined:
        """See ``PaymentProvider.charge``."""
        body: dict[str, str | int] = {
            "order_id": request.order_id,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
        }
        answer = self._post("charges", request.key, body)
        if answer.status_code == httpx.codes.PAYMENT_REQUIRED:
            return Declined(_field(answer, "charges", "code"))
        _demand_success(answer, "charges", request.order_id)
        return Charged(_field(answer, "charges", "charge_id"))

    def refund(self, request: Refund) -> Refunded:
        """See ``PaymentProvider.refund``."""
        body: dict[str, str | int] = {
            "order_id": request.order_id,
            "charge_id": request.charge_id,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
        }
        answer = self._post("refunds", request.key, body)
        _demand_success(answer, "refunds", request.order_id)
        return Refunded(_field(answer, "refunds", "refund_id"))

    def _post(self, operation: str, key: str, body: dict[str, str | int]) -> httpx.Response:
        try:
            answer = self._client.post(
                f"{self._base_url}/v1/{operation}",
                json=body,
                headers={"Idempotency-Key": key},
                timeout=_TIMEOUT,
            )
        except httpx.RequestError as error:
            raise ProviderUnavailableError(operation, type(error).__name__) from error
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise ProviderThrottledError(operation, "429", _retry_after(answer))
        if answer.status_code >= 500 or answer.status_code in {408, 409, 425}:
            raise ProviderUnavailableError(operation, str(answer.status_code), _retry_after(answer))
        return answer


def _demand_success(answer: httpx.Response, operation: str, order_id: str) -> None:
    if not answer.is_success:
        raise ProviderRefusedError(operation, answer.status_code, order_id)


def _field(answer: httpx.Response, operation: str, name: str) -> str:
    """A field of the answer; an answer that cannot be read is none, whatever its status says."""
    try:
        value = answer.json()[name]
    except (ValueError, KeyError, TypeError) as error:
        raise ProviderUnavailableError(operation, f"the answer has no {name}") from error
    return str(value)


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds to wait. The header's other form, a date, is not used by this provider and not read."""
    try:
        return max(0.0, float(answer.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
