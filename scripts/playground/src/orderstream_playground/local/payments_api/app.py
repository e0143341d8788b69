"""The provider's HTTP API.

| Request | Responses |
|---|---|
| ``POST /v1/charges`` with ``Idempotency-Key`` | 201 ``{charge_id}``, 402 ``{code: card_declined}`` |
| ``POST /v1/refunds`` with ``Idempotency-Key`` | 201 ``{refund_id}``; 404, 422 if there is nothing to give |
| ``GET /v1/ledger`` | every movement of money as NDJSON, oldest first |
| ``GET /v1/stats`` | ``{requests, throttled, crowded, most_at_once}`` since the start |
| ``GET /_faults`` | how often which fault has struck |
| ``GET /health``, also ``/live`` and ``/ready`` below it | 200 |
| ``POST /_faults`` | 204; see ``FaultRequest`` |

Over the rate, or with too many requests under way: 429 with ``Retry-After``. A request is under way until its
response is sent or lost, however long its caller has waited. The same key with the same body gets the same
response, with another body 422.
"""

import datetime as dt
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import anyio
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from orderstream_playground.local.payments_api.bookings import Bookings, ChargeRequest, RefundRequest
from orderstream_playground.local.payments_api.faults import FaultRequest, Faults
from orderstream_playground.local.payments_api.ledger import Entry, Ledger, StoredResponse
from orderstream_playground.local.payments_api.limit import RequestWindow, UnderWay

_JSON: Final = "application/json"


def create_app(
    ledger: Ledger,
    *,
    rate: int,
    at_once: int = 0,
    decline_percent: int = 0,
    seed: int = 0,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    monotonic: Callable[[], float] = time.monotonic,
) -> Starlette:
    """Build the provider's application.

    Args:
        ledger: The books.
        rate: Charges and refunds let through within any second, at least 1.
        at_once: Charges and refunds that may be under way at the same time; 0 sets no bound.
        decline_percent: About how many of a hundred orders are declined, 0 to 100.
        seed: Chooses which.
        clock: The time (UTC, with zone).
        monotonic: Seconds on a monotonic clock.
    """
    bookings = Bookings(ledger, seed=seed, decline_percent=decline_percent, clock=clock)
    provider = _Provider(ledger, bookings, RequestWindow(rate), UnderWay(at_once), monotonic)
    return Starlette(
        routes=[
            Route("/v1/charges", provider.charges, methods=["POST"]),
            Route("/v1/refunds", provider.refunds, methods=["POST"]),
            Route("/v1/ledger", provider.entries),
            Route("/v1/stats", provider.stats),
            *(Route(path, provider.health) for path in ("/health", "/health/live", "/health/ready")),
            Route("/_faults", provider.struck_faults, methods=["GET"]),
            Route("/_faults", provider.demand_faults, methods=["POST"]),
        ]
    )


class _Provider:
    """Books on the event loop, one request after another: no second writer, no lock, no race."""

    def __init__(
        self,
        ledger: Ledger,
        bookings: Bookings,
        window: RequestWindow,
        under_way: UnderWay,
        monotonic: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._bookings = bookings
        self._window = window
        self._under_way = under_way
        self._monotonic = monotonic
        self._faults = Faults()
        self._requests = self._throttled = 0

    async def charges(self, request: Request) -> Response:
        """Serve ``POST /v1/charges``."""
        return await self._serve(request, self._charge)

    async def refunds(self, request: Request) -> Response:
        """Serve ``POST /v1/refunds``."""
        return await self._serve(request, self._refund)

    async def entries(self, _: Request) -> Response:
        """Serve ``GET /v1/ledger``."""
        return StreamingResponse(_lines(self._ledger), media_type="application/x-ndjson")

    async def stats(self, _: Request) -> Response:
        """Serve ``GET /v1/stats``."""
        counts = {"requests": self._requests, "throttled": self._throttled}
        return _json(200, counts | {"crowded": self._under_way.crowded, "most_at_once": self._under_way.most})

    async def health(self, _: Request) -> Response:
        """Serve ``GET /health``."""
        return _json(200, {"status": "ok"})

    async def struck_faults(self, _: Request) -> Response:
        """Serve ``GET /_faults``."""
        return _json(200, self._faults.struck)

    async def demand_faults(self, request: Request) -> Response:
        """Serve ``POST /_faults``."""
        try:
            demand = msgspec.json.decode(await request.body(), type=FaultRequest)
        except msgspec.DecodeError as error:
            return _json(422, {"code": "malformed", "message": str(error)})
        self._faults.demand(demand, self._monotonic())
        return Response(status_code=204)

    async def _serve(self, request: Request, carry_out: Callable[[str, bytes], StoredResponse]) -> Response:
        self._requests += 1
        if not self._under_way.begin():
            return _json(429, {"code": "too_many_at_once"}, {"Retry-After": "1"})
        try:
            return await self._work_on(request, carry_out)
        finally:
            self._under_way.end()

    async def _work_on(self, request: Request, carry_out: Callable[[str, bytes], StoredResponse]) -> Response:
        now = self._monotonic()
        wait = self._window.wait(now)
        if wait > 0:
            self._throttled += 1
            return _json(429, {"code": "rate_limited"}, {"Retry-After": str(math.ceil(wait))})
        status = self._faults.refusal(now)
        if status == 429:
            return _json(status, {"code": "rate_limited"}, {"Retry-After": "1"})
        if status is not None:
            return _json(status, {"code": "unavailable"})
        key, body = request.headers.get("Idempotency-Key", ""), await request.body()
        if not 1 <= len(key) <= 255:
            return _json(400, {"code": "idempotency_key_missing"})
        try:
            response = carry_out(key, body)
        except msgspec.DecodeError as error:
            return _json(422, {"code": "malformed", "message": str(error)})
        if self._faults.lose_response():
            await anyio.sleep(self._faults.hang)
            return _json(504, {"code": "timeout"})
        if self._faults.latency:
            await anyio.sleep(self._faults.latency)
        return Response(response.body, response.status, media_type=_JSON)

    def _charge(self, key: str, body: bytes) -> StoredResponse:
        charge = msgspec.json.decode(body, type=ChargeRequest)
        return self._bookings.charge(key, charge, self._faults.decline)

    def _refund(self, key: str, body: bytes) -> StoredResponse:
        return self._bookings.refund(key, msgspec.json.decode(body, type=RefundRequest))


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``GET /v1/ledger``."""

    order_id: str
    kind: str
    amount_minor: int
    currency: str
    idempotency_key: str
    at: dt.datetime


def _line(entry: Entry) -> bytes:
    fields = {name: getattr(entry, name) for name in _Line.__struct_fields__}
    return msgspec.json.encode(_Line(**fields)) + b"\n"


async def _lines(ledger: Ledger) -> AsyncIterator[bytes]:
    """Lines page by page; other requests have their turn between two pages."""
    last = 0
    while page := ledger.page(after=last):
        last = page[-1][0]
        yield b"".join(_line(entry) for _, entry in page)
        await anyio.sleep(0)


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, _JSON)
