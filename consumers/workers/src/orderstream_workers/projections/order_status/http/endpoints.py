"""The query side, to be served beside the orders API: ``GET /orders/{id}``, and its events."""

import logging
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Final

from anyio import to_thread
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from orderstream.errors import DependencyError
from orderstream_orders.api import OrderAccess, caller_of
from orderstream_orders.api.responses import Problem, json_response
from orderstream_workers.projections.order_status.http.described import (
    MAX_ORDERS_PAGE,
    MAX_PAGE,
    ORDERS_PAGE,
    PAGE,
    STATES,
)
from orderstream_workers.projections.order_status.http.event_stream import MEDIA_TYPE, events, is_over
from orderstream_workers.projections.order_status.http.following import MOST_SECONDS, Followers
from orderstream_workers.projections.order_status.http.shown import ShownOrders, shown_order
from orderstream_workers.projections.order_status.read_model import (
    OrderPage,
    ReadModel,
    UnknownMessageError,
    UnlistedOrderError,
)
from orderstream_workers.projections.order_status.search import OrderSearch

logger = logging.getLogger(__name__)

_RETRY_AFTER: Final = 1
"""Seconds after which a caller should ask again."""

_NO_ORDER: Final = "after is no order of yours: start again"

_OUTAGES: Final = (DBAPIError, PoolTimeoutError, DependencyError)


def routes(read_model: ReadModel, access: OrderAccess, followers: Followers | None = None) -> list[Route]:
    """The routes of order status.

    Args:
        read_model: Answers them. A query blocks, so each runs in a thread of its own.
        access: Knows whose an order is: another caller's gets the response of one that does not exist.
        followers: Wait for what an order does next.
    """
    endpoints = _Endpoints(read_model, access, followers or Followers())
    return [
        Route("/orders", endpoints.find, methods=["GET"]),
        Route("/orders/{order_id}", endpoints.show, methods=["GET"]),
        Route("/orders/{order_id}/events", endpoints.follow, methods=["GET"]),
    ]


class _Endpoints:
    def __init__(self, read_model: ReadModel, access: OrderAccess, followers: Followers) -> None:
        self._read_model = read_model
        self._access = access
        self._followers = followers

    async def find(self, request: Request) -> Response:
        """List the caller's own orders, the newest first."""
        given = request.query_params
        state, after = given.get("state"), given.get("after")
        limit = _number(given.get("limit"), ORDERS_PAGE, 1, MAX_ORDERS_PAGE)
        if limit is None:
            return _malformed("limit", f"limit must be a number from 1 to {MAX_ORDERS_PAGE}")
        if state is not None and state not in STATES:
            return _malformed("state", f"state must be one of {', '.join(STATES)}")
        if "\0" in (after or ""):
            return _malformed("after", _NO_ORDER)
        wanted = OrderSearch(
            state=None if state is None else STATES[state],
            placed_by=self._access.placed_by(caller_of(request).name),
        )
        ask = partial(self._read_model.find, wanted, after=after, limit=limit)
        try:
            found = await to_thread.run_sync(ask)
        except UnlistedOrderError:
            return _malformed("after", _NO_ORDER)
        except _OUTAGES as error:
            return _unavailable(error)
        return json_response(HTTPStatus.OK, ShownOrders(orders=found.orders, next=found.next))

    async def show(self, request: Request) -> Response:
        """Show an order, at once or at its end."""
        given = request.query_params
        after, limit = given.get("after"), _number(given.get("limit"), PAGE, 1, MAX_PAGE)
        wait = _number(given.get("wait"), 0, 0, MOST_SECONDS)
        if limit is None:
            return _malformed("limit", f"limit must be a number from 1 to {MAX_PAGE}")
        if wait is None:
            return _malformed("wait", f"wait must be a number of seconds from 0 to {MOST_SECONDS}")
        try:
            if await self._is_hidden(request, after):
                return _unknown()
            ask = partial(self._page, request, limit, after)
            page = await self._followers.until(request, wait, ask, is_over)
        except UnknownMessageError:
            return _malformed("after", "after is not a message of this order: start again")
        except _OUTAGES as error:
            return _unavailable(error)
        return _unknown() if page is None else json_response(HTTPStatus.OK, shown_order(page))

    async def follow(self, request: Request) -> Response:
        """Send an order's messages as they come."""
        after = request.headers.get("Last-Event-ID") or None
        ask = partial(self._page, request, PAGE)
        try:
            if await self._is_hidden(request, after):
                return _unknown()
            page = await ask(after)
        except UnknownMessageError:
            return _malformed("Last-Event-ID", "Last-Event-ID is not a message of this order: start again")
        except _OUTAGES as error:
            return _unavailable(error)
        if after is not None and is_over(page) and not page.order.history:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        body = _while_it_can_be_read(events(request, self._followers, ask, page, after))
        return StreamingResponse(body, HTTPStatus.OK, {"Cache-Control": "no-store"}, MEDIA_TYPE)

    async def _is_hidden(self, request: Request, after: str | None) -> bool:
        order_id, caller = request.path_params["order_id"], caller_of(request).name
        if "\0" in order_id + (after or ""):  # it is in no id, and PostgreSQL would refuse the question
            return True
        return not await to_thread.run_sync(self._access.may_see, caller, order_id)

    async def _page(self, request: Request, limit: int, after: str | None) -> OrderPage | None:
        ask = partial(self._read_model.page, request.path_params["order_id"], after=after, limit=limit)
        return await to_thread.run_sync(ask)


async def _while_it_can_be_read(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for part in body:
            yield part
    except _OUTAGES as error:  # the client asks again, from the last event that it has
        logger.warning("order cannot be followed for now", extra={"reason": type(error).__name__})


def _number(given: str | None, default: int, least: int, most: int) -> int | None:
    """A number of the query; None if it is none, or out of range."""
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(most))):
        return None
    return int(given) if least <= int(given) <= most else None


def _malformed(field: str, message: str) -> Response:
    return json_response(
        HTTPStatus.UNPROCESSABLE_ENTITY, Problem(code="malformed", message=message, field=field)
    )


def _unknown() -> Response:
    problem = Problem(
        code="unknown_order", message="you have no order of that id, or it has not been read yet"
    )
    return json_response(HTTPStatus.NOT_FOUND, problem)


def _unavailable(error: Exception) -> Response:
    logger.warning("order cannot be shown for now", extra={"reason": type(error).__name__})
    problem = Problem(code="unavailable", message="orders cannot be looked up now: ask again")
    return json_response(HTTPStatus.SERVICE_UNAVAILABLE, problem, headers={"Retry-After": str(_RETRY_AFTER)})
