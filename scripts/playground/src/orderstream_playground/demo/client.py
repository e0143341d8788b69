"""Asks the orders API to place an order, and asks again until it responds."""

import datetime as dt
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from orderstream_consumer.processing.backoff import Backoff
from orderstream_playground.demo.errors import PlayError
from orderstream_playground.demo.invoices import CURRENCY, Invoice, Rejection

_PATIENCE: Final = 120.0
"""Seconds after which an API that does not respond is given up."""

_PAUSES: Final = Backoff(first=0.1, longest=5.0)


class OrdersClient:
    """Places orders over HTTP. An unknown outcome (503, no response) is asked again with the same key.

    Args:
        http: Client whose base URL is the orders API, and whose requests carry a caller's token.
        sleep: Waits so many seconds.
        now: The time (UTC).
        draw: Gives a number in [0, 1), for jitter.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        sleep: Callable[[float], Awaitable[None]],
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._sleep = sleep
        self._now = now
        self._draw = draw

    async def place(self, invoice: Invoice) -> dt.datetime | Rejection:
        """Place one order.

        Returns:
            When it was accepted, or why it was not.

        Raises:
            PlayError: the API does not respond, or with what it never should.
        """
        request = order_of(invoice)
        deadline = self._now() + dt.timedelta(seconds=_PATIENCE)
        failures = 0
        while True:
            try:
                response = await self._http.post(
                    "/orders",
                    json=request,
                    headers={"Idempotency-Key": invoice.number},
                )
            except httpx.TransportError as error:
                reason = repr(error)
            else:
                if response.status_code == httpx.codes.ACCEPTED:
                    return self._now()
                if response.is_client_error and response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    return _rejection(response)
                reason = f"HTTP {response.status_code}"
            if self._now() > deadline:
                raise PlayError(
                    f"the orders API has not taken invoice {invoice.number} for {_PATIENCE:g} s: {reason}"
                )
            await self._sleep(_PAUSES.pause(failures, self._draw()))
            failures += 1


def order_of(invoice: Invoice) -> dict[str, Any]:
    """The body of the request that places an invoice."""
    customer = invoice.customer_id
    return {
        "customer": {"customer_id": customer, "email": f"customer-{customer}@example.com"}
        if customer
        else None,
        "country": invoice.country,
        "currency": CURRENCY,
        "lines": [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "description": line.description,
                "service": line.is_service,
            }
            for line in invoice.lines
        ],
    }


def _rejection(response: httpx.Response) -> Rejection:
    try:
        body = response.json()
        return Rejection(body["code"], body["message"])
    except (ValueError, KeyError, TypeError) as error:
        raise PlayError(
            f"the orders API responded with {response.status_code} and no reason: {response.text!r}"
        ) from error
