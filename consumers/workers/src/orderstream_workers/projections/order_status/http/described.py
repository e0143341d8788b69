"""What the OpenAPI document says of the routes of order status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, get_args

from orderstream_orders.api.openapi import Described, Responses, operation, order_id_parameter
from orderstream_orders.api.responses import Problem
from orderstream_orders.callers import READ
from orderstream_workers.projections.order_status.http.event_stream import MEDIA_TYPE
from orderstream_workers.projections.order_status.http.following import MOST_SECONDS
from orderstream_workers.projections.order_status.http.shown import ShownOrder, ShownOrders
from orderstream_workers.projections.order_status.status import State

PAGE: Final = 200
"""Messages of a page, if nothing else is asked for; an order that goes well has about twenty."""

MAX_PAGE: Final = 1_000

ORDERS_PAGE: Final = 50
"""Orders of a page, if nothing else is asked for."""

MAX_ORDERS_PAGE: Final = 200

STATES: Final[Mapping[str, State]] = {state: state for state in get_args(State)}
"""The states of an order, by their names."""

_EVENT: Final = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "description": "The message's type name, or `ended`."},
        "id": {"type": "string", "description": "The message's id."},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "A message as `ShownOrder.history` has it, or the `ShownOrder`.",
        },
    },
}
"""Each event of the stream, its fields as properties."""


def described() -> Described:
    """What the OpenAPI document says of the routes."""
    refusals: Responses = {
        HTTPStatus.BAD_REQUEST: ("A header is not for clients to send.", Problem),
        HTTPStatus.NOT_FOUND: ("The caller has no such order, or it has not been read yet.", Problem),
        HTTPStatus.UNPROCESSABLE_ENTITY: ("There is no such page.", Problem),
        HTTPStatus.SERVICE_UNAVAILABLE: ("Orders cannot be looked up now.", Problem),
    }
    find = operation(
        "listOrders",
        "List the caller's own orders, the newest first, page by page.",
        {
            HTTPStatus.OK: ("The page.", ShownOrders),
            **{status: what for status, what in refusals.items() if status != HTTPStatus.NOT_FOUND},
        },
        scope=READ,
        parameters=[
            _query("state", "How far the orders are.", {"type": "string", "enum": list(STATES)}),
            _query("after", "Id of the order behind which to begin.", {"type": "string", "minLength": 1}),
            _query(
                "limit",
                "Most orders to list.",
                {"type": "integer", "minimum": 1, "maximum": MAX_ORDERS_PAGE, "default": ORDERS_PAGE},
            ),
        ],
    )
    show = operation(
        "showOrder",
        "Return an order's state and its history, page by page.",
        {HTTPStatus.OK: ("The order.", ShownOrder), **refusals},
        scope=READ,
        parameters=[
            order_id_parameter(),
            _query("after", "Id of the message behind which to begin.", {"type": "string", "minLength": 1}),
            _query(
                "limit",
                "Most messages to show.",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE},
            ),
            _query(
                "wait",
                "Seconds to wait for the order's end; the response comes at once when it has ended.",
                {"type": "integer", "minimum": 0, "maximum": MOST_SECONDS, "default": 0},
            ),
        ],
    )
    follow = operation(
        "followOrder",
        "Send an order's messages as server-sent events until it has ended.",
        refusals,
        scope=READ,
        parameters=[
            order_id_parameter(),
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "description": "Id of the last event that the client has.",
                "schema": {"type": "string"},
            },
        ],
    )
    follow["responses"] |= {
        "200": {
            "description": "Each message is an event of its type with its id; the order, as the event "
            f"`ended`, is the last. After {MOST_SECONDS} seconds the response ends before: ask again.",
            "content": {MEDIA_TYPE: {"schema": _EVENT}},
        },
        "204": {"description": "The order has ended, and nothing follows `Last-Event-ID`: do not ask again."},
    }
    return Described(
        paths={
            "/orders": {"get": find},
            "/orders/{order_id}": {"get": show},
            "/orders/{order_id}/events": {"get": follow},
        },
        types=(ShownOrder, ShownOrders),
    )


def _query(name: str, description: str, schema: dict[str, object]) -> dict[str, object]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
