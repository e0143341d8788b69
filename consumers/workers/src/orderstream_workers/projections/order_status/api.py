"""``GET /orders/{id}``: the query side, to be served beside the orders API."""

import datetime as dt
import logging
from http import HTTPStatus
from typing import Final

import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orderstream.errors import DependencyError
from orderstream_orders.api import OrderAccess, caller_of
from orderstream_orders.api.openapi import Described, operation, order_id_parameter
from orderstream_orders.api.responses import Problem, json_response
from orderstream_orders.callers import READ
from orderstream_workers.projections.order_status.read_model import OrderPage, ReadModel, UnknownMessageError
from orderstream_workers.projections.order_status.status import OrderStatus
from orderstream_workers.projections.order_status.story import effect_of

logger = logging.getLogger(__name__)

PAGE: Final = 200
"""Messages of a page, if nothing else is asked for; an order that goes well has about twenty."""

MAX_PAGE: Final = 1_000

_RETRY_AFTER: Final = 1
"""Seconds after which a caller should ask again."""


class ShownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of an order. Its data stays out: addresses are in it.

    Attributes:
        event_id: The message's id.
        type: Its type name.
        source: Who published it.
        time: When it was decided (UTC).
        arrived_at: When the stream took it (UTC).
        correlation_id: The sender's identifier of a request.
        causation_id: Id of the message that caused it.
        effect: What it means, in words.
    """

    event_id: str
    type: str
    source: str
    time: dt.datetime
    arrived_at: dt.datetime
    correlation_id: str | None
    causation_id: str | None
    effect: str


class ShownOrder(OrderStatus, frozen=True, kw_only=True):
    """An order, how far it is, and its messages.

    Attributes:
        history: In stream order, from the message behind ``after`` on.
        next: What to ask for as ``after`` to get more; null if this is the end.
    """

    history: tuple[ShownMessage, ...]
    next: str | None


def routes(read_model: ReadModel, access: OrderAccess) -> list[Route]:
    """The routes of order status.

    Args:
        read_model: Answers them. A query blocks, so each runs in a thread of its own.
        access: Knows whose an order is: another caller's gets the response of one that does not exist.
    """

    def show(request: Request) -> Response:
        order_id = request.path_params["order_id"]
        after, limit = request.query_params.get("after"), _limit(request.query_params.get("limit"))
        if limit is None:
            problem = Problem(
                code="malformed", message=f"limit must be a number from 1 to {MAX_PAGE}", field="limit"
            )
            return json_response(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
        try:
            # A NUL is in no id, and PostgreSQL would refuse the question.
            hidden = "\0" in order_id + (after or "") or not access.may_see(caller_of(request).name, order_id)
            page = None if hidden else read_model.page(order_id, after=after, limit=limit)
        except UnknownMessageError:
            problem = Problem(
                code="malformed", message="after is not a message of this order: start again", field="after"
            )
            return json_response(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
        except (DBAPIError, PoolTimeoutError, DependencyError) as error:
            logger.warning("order cannot be shown for now", extra={"reason": type(error).__name__})
            problem = Problem(code="unavailable", message="orders cannot be looked up now: ask again")
            return json_response(
                HTTPStatus.SERVICE_UNAVAILABLE, problem, headers={"Retry-After": str(_RETRY_AFTER)}
            )
        if page is None:
            problem = Problem(
                code="unknown_order", message="you have no order of that id, or it has not been read yet"
            )
            return json_response(HTTPStatus.NOT_FOUND, problem)
        return json_response(HTTPStatus.OK, _shown(page))

    return [Route("/orders/{order_id}", show, methods=["GET"])]


def described() -> Described:
    """What the OpenAPI document says of the routes."""
    show = operation(
        "showOrder",
        "Return an order's state and its history, page by page.",
        {
            HTTPStatus.OK: ("The order.", ShownOrder),
            HTTPStatus.BAD_REQUEST: ("A header is not for clients to send.", Problem),
            HTTPStatus.NOT_FOUND: ("The caller has no such order, or it has not been read yet.", Problem),
            HTTPStatus.UNPROCESSABLE_ENTITY: ("There is no such page.", Problem),
            HTTPStatus.SERVICE_UNAVAILABLE: ("Orders cannot be looked up now.", Problem),
        },
        scope=READ,
        parameters=[
            order_id_parameter(),
            _query("after", "Id of the message behind which to begin.", {"type": "string", "minLength": 1}),
            _query(
                "limit",
                "Most messages to show.",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE},
            ),
        ],
    )
    return Described(paths={"/orders/{order_id}": {"get": show}}, types=(ShownOrder,))


def _query(name: str, description: str, schema: dict[str, object]) -> dict[str, object]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _limit(given: str | None) -> int | None:
    """How many messages to show; None if that is no number or out of range."""
    if given is None:
        return PAGE
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(MAX_PAGE))):
        return None
    return int(given) if 1 <= int(given) <= MAX_PAGE else None


def _shown(page: OrderPage) -> ShownOrder:
    order = page.order
    return ShownOrder(
        **msgspec.structs.asdict(order)
        | {
            "next": page.next,
            "history": tuple(
                ShownMessage(
                    event_id=entry.event_id,
                    type=entry.type,
                    source=entry.source,
                    time=entry.time,
                    arrived_at=entry.arrived_at,
                    correlation_id=entry.correlation_id,
                    causation_id=entry.causation_id,
                    effect=effect_of(entry),
                )
                for entry in order.history
            ),
        }
    )
