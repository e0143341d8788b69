"""The payment provider over HTTP."""

from typing import Final

import httpx

from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.provider import (
    Charged,
    Declined,
    ProviderRefusedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    Refunded,
)

_TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0)


class HttpPaymentProvider:
    """The provider's HTTP API.

    A timeout, a broken connection, 401, 403, 408, 409, 425, 429 and 5xx are no answers. The first two say
    nothing about the payment either: while a key is being renewed, no payment may end as a dead letter.

    Args:
        client: An httpx client; its own timeout is not used.
        base_url: Where the provider is, without a slash at the end.
    """

    def __init__(self, client: httpx.Client, base_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")

    def ask(self) -> None:
        """Find out whether the provider answers at all, without asking for anything.

        Raises:
            ProviderUnavailableError: it does not, or only with errors of its own.
        """
        try:
            answer = self._client.get(self._base_url, timeout=_TIMEOUT)
        except httpx.RequestError as error:
            raise ProviderUnavailableError("GET", f"{type(error).__name__}: {error}") from error
        if answer.status_code >= 500:
            raise ProviderUnavailableError("GET", str(answer.status_code))

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
        if answer.status_code >= 500 or answer.status_code in {401, 403, 408, 409, 425}:
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
