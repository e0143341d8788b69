"""The orders API: ``POST /orders``, ``POST /orders/{id}/cancel``; ``GET /health`` and ``/openapi.json``.

==================== ===================================================================================
202 {order_id}       Kinesis has acknowledged the event; ``Location`` shows what becomes of it
400, 422 {code, ...} not taken, and never will be without a change
401, 403             the caller is unknown, or lacks the scope
404                  the caller has no such order
408                  the body did not arrive in time
413                  the body or the order is too large
415                  the body is not said to be ``application/json``
429                  not taken: the caller asks too often
503 unavailable      not taken: no caller can be identified for now
503 unknown_outcome  it is unknown whether it was taken: repeat it with the same ``Idempotency-Key``
==================== ===================================================================================
"""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from anyio import CapacityLimiter, fail_after, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from orderstream.observability.metrics import Meter, NoMeter
from orderstream.observability.tracing import NoTracer, Tracer
from orderstream.publisher import EventPublisher
from orderstream_orders.api.access import OrderAccess
from orderstream_orders.api.guard import CallerGuard, caller_of
from orderstream_orders.api.idempotency import IdempotencyStore
from orderstream_orders.api.intake import Intake, UnknownOutcomeError
from orderstream_orders.api.measuring import RequestMeasuring
from orderstream_orders.api.metrics import UNKNOWN_OUTCOMES
from orderstream_orders.api.openapi import Described, document
from orderstream_orders.api.request_spans import traced
from orderstream_orders.api.requests import JSON, MAX_BODY_BYTES, MAX_CODE_LENGTH, Rejection
from orderstream_orders.api.responses import (
    AcceptedResponse,
    HealthResponse,
    Problem,
    Standing,
    json_response,
    on_disconnect,
    on_failure,
    on_http_exception,
)
from orderstream_orders.callers import Authentication, Caller
from orderstream_orders.callers.allowance import Allowances

logger = logging.getLogger(__name__)

_CANCEL: Final = "/orders/{order_id}/cancel"
_LENGTH_DIGITS: Final = 15
_NO_TRACER: Final[Tracer] = NoTracer()
_BURST_SECONDS: Final = 2
"""A caller that was quiet may make the requests of so many seconds at once."""
RETRY_AFTER: Final = 1
"""Seconds after which a caller should ask again."""


def create_app(
    *,
    publisher: EventPublisher,
    idempotency_store: IdempotencyStore,
    authentication: Authentication,
    clock: Callable[[], dt.datetime],
    requests_per_second: float = 0.0,
    monotonic: Callable[[], float] = time.monotonic,
    extra_routes: Sequence[BaseRoute] = (),
    described: Sequence[Described] = (),
    concurrency: int = 64,
    max_waiting: int = 1_000,
    timeout: float = 10.0,
    body_timeout: float = 20.0,
    standing: Callable[[], Standing] = Standing,
    tracer: Tracer = _NO_TRACER,
    meter: Meter | None = None,
) -> Starlette:
    """Make the ASGI application.

    Args:
        publisher: Publishes the events. Cap its producer well below the shard limit (a rate of some 500
            records a second a shard), so that the results of orders always find room, and let it raise
            when its buffer is full.
        idempotency_store: Remembers accepted orders.
        authentication: Identifies the caller. Every route but health and document asks it, extra routes too.
        clock: The time (UTC, with zone).
        requests_per_second: Requests a second that a caller may make, in this process; twice as many at once.
            0 sets no bound.
        monotonic: Seconds of a clock that never goes back.
        extra_routes: Routes to serve beside its own, such as those of order status; ``caller_of`` says who
            asks.
        described: What the OpenAPI document says of them.
        concurrency: Requests that wait for the store or for Kinesis at the same time, each in a thread of
            its own. At least 1.
        max_waiting: Requests that may wait for one of those threads; what is beyond gets 503 at once.
            At least 0.
        timeout: Seconds to wait for Kinesis' acknowledgement before the response is 503. Above 0.
        body_timeout: Seconds that a request's body may take to arrive before the response is 408. Above 0.
        standing: Says whether the dependencies respond, for ``/health``; by default they are not called.
        tracer: Begins a span for each order and each cancellation; by default nothing is traced.
        meter: Takes what is measured.
    """
    meter = meter or NoMeter()
    api = _Api(
        Intake(
            publisher,
            idempotency_store,
            OrderAccess(idempotency_store, enforced=authentication.knows_callers),
            clock,
            timeout,
            tracer,
        ),
        concurrency=concurrency,
        max_waiting=max_waiting,
        body_timeout=body_timeout,
        standing=standing,
        meter=meter,
    )
    described_by = document(*described)

    async def openapi(_: Request) -> Response:
        return json_response(HTTPStatus.OK, described_by)

    app = Starlette(
        routes=[
            Route("/orders", traced(tracer, "/orders", api.place), methods=["POST"]),
            Route(_CANCEL, traced(tracer, _CANCEL, api.cancel), methods=["POST"]),
            Route("/health", api.health, methods=["GET"]),
            Route("/health/live", api.live, methods=["GET"]),
            Route("/health/ready", api.ready, methods=["GET"]),
            Route("/openapi.json", openapi, methods=["GET"]),
            *extra_routes,
        ],
        exception_handlers={
            HTTPException: on_http_exception,
            ClientDisconnect: on_disconnect,
            Exception: on_failure,
        },
        middleware=[
            Middleware(RequestMeasuring, meter=meter, monotonic=monotonic),
            Middleware(
                CallerGuard,
                authentication=authentication,
                allowances=Allowances(requests_per_second, _BURST_SECONDS * requests_per_second),
                monotonic=monotonic,
                refused=api.count_refusal,
            ),
        ],
    )
    # A redirect would name the scheme and host that this process sees, not those that the gateway serves.
    app.router.redirect_slashes = False
    return app


class _Api:
    def __init__(
        self,
        intake: Intake,
        *,
        concurrency: int,
        max_waiting: int,
        body_timeout: float,
        standing: Callable[[], Standing],
        meter: Meter,
    ) -> None:
        self._intake = intake
        self._body_timeout = body_timeout
        self._standing = standing
        self._meter = meter
        self._threads = CapacityLimiter(concurrency)
        self._most = concurrency + max_waiting
        self._in_flight = 0
        self._accepted = 0
        self._unknown_outcomes = 0
        self._rejected: Counter[str] = Counter()

    async def place(self, request: Request) -> Response:
        """Take an order in."""
        key, caller = request.headers.get("Idempotency-Key", ""), caller_of(request)
        if not 1 <= len(key) <= MAX_CODE_LENGTH:
            return self._reject(
                Rejection(
                    "malformed",
                    f"header Idempotency-Key must have 1 to {MAX_CODE_LENGTH} characters",
                    field="Idempotency-Key",
                    status=HTTPStatus.BAD_REQUEST,
                )
            )
        try:
            with fail_after(self._body_timeout):
                body = await _body(request)
        except TimeoutError:
            return self._reject(
                Rejection(
                    "malformed",
                    f"the body did not arrive within {self._body_timeout:g} s: send it again",
                    status=HTTPStatus.REQUEST_TIMEOUT,
                )
            )
        if body is None:
            return self._reject(
                Rejection(
                    "malformed",
                    f"a body may have {MAX_BODY_BYTES:,} bytes: split the order",
                    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                )
            )
        content_type = request.headers.get("Content-Type")
        return await self._response(caller, lambda: self._intake.place(caller.name, key, body, content_type))

    async def cancel(self, request: Request) -> Response:
        """Ask for an order's cancellation."""
        order_id, caller = request.path_params["order_id"], caller_of(request)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MAX_CODE_LENGTH:
            return self._reject(
                Rejection(
                    "malformed",
                    f"header Idempotency-Key may have {MAX_CODE_LENGTH} characters",
                    field="Idempotency-Key",
                    status=HTTPStatus.BAD_REQUEST,
                )
            )
        return await self._response(caller, lambda: self._cancel(caller, order_id, key))

    def count_refusal(self, code: str) -> None:
        """Count a request that was turned away before it came here."""
        self._rejected[code] += 1

    async def health(self, _: Request) -> Response:
        """Say how it is, with 503 while a dependency has not responded for too long."""
        standing = self._standing()
        return self._health(standing, good=standing.healthy)

    async def ready(self, _: Request) -> Response:
        """Say the same, with 503 too until each dependency has responded, and while it is full."""
        standing = self._standing()
        return self._health(standing, good=standing.ready and not self._is_full())

    async def live(self, _: Request) -> Response:
        """Say the same, with 200 in any case."""
        return self._health(self._standing(), good=True)

    def _is_full(self) -> bool:
        return self._in_flight >= self._most

    def _health(self, standing: Standing, *, good: bool) -> Response:
        status, reason = "ok", standing.reason
        if not standing.healthy:
            status = "failing"
        elif not standing.ready:
            status = "starting"
        elif self._is_full():
            status, reason = "full", f"{self._in_flight} requests are under way: more are turned away"
        return json_response(
            HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE,
            HealthResponse(
                status=status,
                reason=reason,
                dependencies=standing.dependencies,
                in_flight=self._in_flight,
                accepted=self._accepted,
                rejected=self._rejected.total(),
                rejected_by_code=dict(self._rejected),
                unknown_outcomes=self._unknown_outcomes,
            ),
            headers=None if good else {"Retry-After": str(RETRY_AFTER)},
        )

    def _cancel(self, caller: Caller, order_id: str, key: str) -> str | Rejection:
        # Longer than any order's id, and so than what the memory of orders could be asked for.
        if len(order_id) <= MAX_CODE_LENGTH and self._intake.cancel(caller.name, order_id, key):
            return order_id
        return Rejection("unknown_order", "there is no such order", status=HTTPStatus.NOT_FOUND)

    async def _response(self, caller: Caller, carry_out: Callable[[], str | Rejection]) -> Response:
        if self._is_full():
            return self._unknown("too many requests are under way")
        self._in_flight += 1
        try:
            outcome = await to_thread.run_sync(carry_out, limiter=self._threads)
        except UnknownOutcomeError as error:
            return self._unknown(error.reason)
        finally:
            self._in_flight -= 1
        if isinstance(outcome, Rejection):
            return self._reject(outcome)
        self._accepted += 1
        logger.info("request accepted", extra={"order_id": outcome, "caller": caller.pseudonym})
        return json_response(
            HTTPStatus.ACCEPTED,
            AcceptedResponse(order_id=outcome),
            headers={"Location": f"/orders/{quote(outcome)}"},
        )

    def _reject(self, rejection: Rejection) -> Response:
        self._rejected[rejection.code] += 1
        # Without the message: it may quote what the customer wrote.
        logger.info(
            "request rejected",
            extra={
                "code": rejection.code,
                "status": int(rejection.status),
                "field": rejection.field,
                "line": rejection.line,
            },
        )
        problem = Problem(
            code=rejection.code, message=rejection.message, field=rejection.field, line=rejection.line
        )
        # RFC 9110, 15.5.16: what would have been taken.
        wanted = {"Accept": JSON} if rejection.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE else None
        return json_response(rejection.status, problem, headers=wanted)

    def _unknown(self, reason: str) -> Response:
        self._unknown_outcomes += 1
        self._meter.record(UNKNOWN_OUTCOMES)
        logger.warning("outcome unknown", extra={"reason": reason})
        problem = Problem(
            code="unknown_outcome",
            message="the outcome is unknown: ask again with the same Idempotency-Key",
        )
        return json_response(
            HTTPStatus.SERVICE_UNAVAILABLE, problem, headers={"Retry-After": str(RETRY_AFTER)}
        )


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is known to be too large: as declared, or as it comes."""
    declared = request.headers.get("Content-Length", "")
    if len(declared) > _LENGTH_DIGITS or (declared.isdecimal() and int(declared) > MAX_BODY_BYTES):
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)
