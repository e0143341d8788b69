"""The orders API over HTTP: ``POST /orders``, ``POST /orders/{id}/cancel``, ``GET /health``.

==================== ===================================================================================
202 {order_id}       Kinesis has acknowledged the event; everything else is eventually consistent
400, 422 {code, ...} not taken, and never will be as it stands
404                  no such order
413                  the body is too large
503 unknown_outcome  taken or not, nobody knows: ask again with the same ``Idempotency-Key``
==================== ===================================================================================
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from orderstream.api.idempotency import IdempotencyStore
from orderstream.api.intake import Intake, UnknownOutcomeError
from orderstream.api.requests import MAX_BODY_BYTES, MAX_CODE_LENGTH, Rejection
from orderstream.publisher import EventPublisher

logger = logging.getLogger(__name__)

DEFAULT_CALLER: Final = "anonymous"
RETRY_AFTER: Final = 1
"""Seconds after which a caller should ask again."""


def create_app(
    *,
    publisher: EventPublisher,
    idempotency_store: IdempotencyStore,
    clock: Callable[[], dt.datetime],
    extra_routes: Sequence[BaseRoute] = (),
    concurrency: int = 64,
    max_waiting: int = 1_000,
    patience: float = 10.0,
) -> Starlette:
    """Make the ASGI application.

    Args:
        publisher: Publishes the events. Cap its producer well below the shard limit (a rate of some 500
            records a second a shard), so that the results of orders always find room, and let it raise
            when its buffer is full.
        idempotency_store: Remembers accepted orders.
        clock: The time (UTC, with zone).
        extra_routes: Routes to serve beside its own, such as those of order status.
        concurrency: Requests that wait for the store or for Kinesis at the same time, each in a thread of
            its own. At least 1.
        max_waiting: Requests that may wait for one of those threads; what is beyond gets 503 at once.
            At least 0.
        patience: Seconds to wait for Kinesis' acknowledgement before the answer is 503. Above 0.
    """
    api = _Api(Intake(publisher, idempotency_store, clock, patience), concurrency, max_waiting)
    return Starlette(
        routes=[
            Route("/orders", api.place, methods=["POST"]),
            Route("/orders/{order_id}/cancel", api.cancel, methods=["POST"]),
            Route("/health", api.health, methods=["GET"]),
            *extra_routes,
        ]
    )


class _Api:
    def __init__(self, intake: Intake, concurrency: int, max_waiting: int) -> None:
        self._intake = intake
        self._threads = CapacityLimiter(concurrency)
        self._most = concurrency + max_waiting
        self._in_flight = 0
        self._counts = {"accepted": 0, "rejected": 0, "unknown_outcomes": 0}

    async def place(self, request: Request) -> Response:
        """Take an order in.

        ``X-Caller`` names the caller, whose keys no other caller's can meet. Behind a gateway it is the
        authenticated principal, and the gateway sets it: a client's own header must not get through.
        """
        key = request.headers.get("Idempotency-Key", "")
        caller = request.headers.get("X-Caller") or DEFAULT_CALLER
        for name, value in (("Idempotency-Key", key), ("X-Caller", caller)):
            if not 1 <= len(value) <= MAX_CODE_LENGTH:
                return self._reject(
                    Rejection(
                        "malformed",
                        f"header {name} must have 1 to {MAX_CODE_LENGTH} characters",
                        field=name,
                        status=HTTPStatus.BAD_REQUEST,
                    )
                )
        body = await _body(request)
        if body is None:
            return self._reject(
                Rejection(
                    "malformed",
                    f"a body may have {MAX_BODY_BYTES:,} bytes: split the order",
                    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                )
            )
        return await self._answer(lambda: self._place(caller, key, body))

    async def cancel(self, request: Request) -> Response:
        """Ask for an order's cancellation."""
        order_id = request.path_params["order_id"]
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
        return await self._answer(lambda: self._cancel(order_id, key))

    async def health(self, _: Request) -> Response:
        """Say what has come in since the start."""
        return _json(HTTPStatus.OK, {"status": "ok", "in_flight": self._in_flight, **self._counts})

    def _place(self, caller: str, key: str, body: bytes) -> str | Rejection:
        return self._intake.place(caller, key, body)

    def _cancel(self, order_id: str, key: str) -> str | Rejection:
        if self._intake.cancel(order_id, key):
            return order_id
        return Rejection("unknown_order", "there is no such order", status=HTTPStatus.NOT_FOUND)

    async def _answer(self, carry_out: Callable[[], str | Rejection]) -> Response:
        if self._in_flight >= self._most:
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
        self._counts["accepted"] += 1
        return _json(HTTPStatus.ACCEPTED, {"order_id": outcome})

    def _reject(self, rejection: Rejection) -> Response:
        self._counts["rejected"] += 1
        return _json(
            rejection.status,
            {
                "code": rejection.code,
                "message": rejection.message,
                "field": rejection.field,
                "line": rejection.line,
            },
        )

    def _unknown(self, reason: str) -> Response:
        self._counts["unknown_outcomes"] += 1
        logger.warning("outcome unknown", extra={"reason": reason})
        answer = _json(
            HTTPStatus.SERVICE_UNAVAILABLE,
            {
                "code": "unknown_outcome",
                "message": "the outcome is unknown: ask again with the same Idempotency-Key",
                "field": None,
                "line": None,
            },
        )
        answer.headers["Retry-After"] = str(RETRY_AFTER)
        return answer


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is seen to be too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _json(status: int, content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")
