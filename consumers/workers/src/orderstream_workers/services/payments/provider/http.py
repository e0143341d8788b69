"""The payment provider over HTTP."""

import math
import re
from typing import Final
from urllib.parse import quote

import httpx

from orderstream.observability.tracing import Span, Tracer
from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.provider import (
    Charged,
    Declined,
    ProviderRefusedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    Refunded,
)
from orderstream_workers.services.payments.spans import NO_TRACER

_CARRIED: Final = re.compile(r"[!-~]+( +[!-~]+)*")
"""Visible ASCII, and spaces inside it: a header carries them as they are."""

_ENCODED: Final = "utf-8''"
"""In front of an encoded key, as RFC 8187 marks an encoded value."""

_NO_RESPONSES: Final = frozenset({401, 403, 404, 405, 408, 409, 425})

_TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0, pool=1.0)


class HttpPaymentProvider:
    """The provider's HTTP API.

    Only what the provider itself says about the payment is a response: 2xx with an id, 402 with a reason, and
    a refusal with a ``code`` in JSON. Everything else is none: a timeout, a broken connection, 401 and 403 (a
    key is being renewed), 408, 409, 425, 429, 5xx; redirects, 404 and 405, which a router gives during a
    deployment; and any page that is not the provider's JSON. No payment may end as a dead letter for it.

    Args:
        client: An httpx client; its own timeout is not used.
        base_url: Where the provider is, without a slash at the end.
        timeout: How long one request may take.
        tracer: Begins a span for each request, which the request names; by default nothing is traced.
    """

    def __init__(
        self,
        client: httpx.Client,
        base_url: str,
        *,
        timeout: httpx.Timeout = _TIMEOUT,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._client = client
        self._tracer = tracer
        self._timeout = timeout
        self._base_url = base_url.rstrip("/")

    @property
    def call_seconds(self) -> float:
        """Seconds after which a call has been given up: all of its timeouts together; endless without one."""
        return sum(math.inf if phase is None else phase for phase in self._timeout.as_dict().values())

    def ask(self) -> None:
        """Find out whether the provider responds at all, without requesting anything.

        Raises:
            ProviderUnavailableError: it does not, or only with errors of its own.
        """
        try:
            response = self._client.get(self._base_url, timeout=_TIMEOUT)
        except httpx.RequestError as error:
            raise ProviderUnavailableError("GET", f"{type(error).__name__}: {error}") from error
        if response.status_code >= 500:
            raise ProviderUnavailableError("GET", str(response.status_code))

    def charge(self, request: Charge) -> Charged | Declined:
        """See ``PaymentProvider.charge``."""
        body: dict[str, str | int] = {
            "order_id": request.order_id,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
        }
        response = self._post("charges", request.key, body)
        if response.status_code == httpx.codes.PAYMENT_REQUIRED:
            return Declined(_field(response, "charges", "code"))
        _demand_success(response, "charges", request.order_id)
        return Charged(_field(response, "charges", "charge_id"))

    def refund(self, request: Refund) -> Refunded:
        """See ``PaymentProvider.refund``."""
        body: dict[str, str | int] = {
            "order_id": request.order_id,
            "charge_id": request.charge_id,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
        }
        response = self._post("refunds", request.key, body)
        _demand_success(response, "refunds", request.order_id)
        return Refunded(_field(response, "refunds", "refund_id"))

    def _post(self, operation: str, key: str, body: dict[str, str | int]) -> httpx.Response:
        url = httpx.URL(f"{self._base_url}/v1/{operation}")
        attributes = {
            "http.request.method": "POST",
            "url.template": f"/v1/{operation}",
            "server.address": url.host,
            "orderstream.order_id": body["order_id"],
        }
        with self._tracer.span(f"POST /v1/{operation}", "client", attributes=attributes) as span:
            return self._request(operation, url, key, body, span)

    def _request(
        self, operation: str, url: httpx.URL, key: str, body: dict[str, str | int], span: Span
    ) -> httpx.Response:
        headers = {"Idempotency-Key": header_value(key)}
        if span.traceparent is not None:
            headers["traceparent"] = span.traceparent
        try:
            response = self._client.post(url, json=body, headers=headers, timeout=self._timeout)
        except httpx.RequestError as error:
            raise ProviderUnavailableError(operation, type(error).__name__) from error
        span.set("http.response.status_code", response.status_code)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise ProviderThrottledError(operation, "429", _retry_after(response))
        if (
            not response.is_client_error and not response.is_success
        ) or response.status_code in _NO_RESPONSES:
            raise ProviderUnavailableError(operation, str(response.status_code), _retry_after(response))
        return response


def header_value(key: str) -> str:
    """An idempotency key as a header carries it; different keys give different values.

    What a header carries goes as it is, so that keys already in use stay what they are: a payment in doubt,
    asked for under another key, would be charged twice. Anything else (spaces at either end are cut off, and
    other characters refused or garbled) is percent-encoded behind a mark of its own.
    """
    if _CARRIED.fullmatch(key) and not key.startswith(_ENCODED):
        return key
    return _ENCODED + quote(key, safe="")


def _demand_success(response: httpx.Response, operation: str, order_id: str) -> None:
    if not response.is_success:
        _field(response, operation, "code")
        raise ProviderRefusedError(operation, response.status_code, order_id)


def _field(response: httpx.Response, operation: str, name: str) -> str:
    """A field of the response; a response that cannot be read is none, whatever its status says."""
    try:
        value = response.json()[name]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProviderUnavailableError(operation, f"{response.status_code} without {name}") from error
    if not isinstance(value, str) or not value:
        raise ProviderUnavailableError(operation, f"{response.status_code} without {name}")
    return value


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait. The header's other form, a date, is not used by this provider and not read."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
