"""``GET /orders/{id}``: the query side, to be served beside the orders API."""

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orderstream_workers.services.order_status.read_model import OrderWithHistory, ReadModel
from orderstream_workers.services.order_status.story import effect_of


def routes(read_model: ReadModel) -> list[Route]:
    """The routes of order status.

    Args:
        read_model: Answers them. A query blocks, so each runs in a thread of its own.
    """

    def show(request: Request) -> Response:
        order = read_model.order(request.path_params["order_id"])
        if order is None:
            return _json(
                HTTPStatus.NOT_FOUND,
                {"code": "unknown_order", "message": "no order of that id has been read yet"},
            )
        return _json(HTTPStatus.OK, _shown(order))

    return [Route("/orders/{order_id}", show, methods=["GET"])]


def _shown(order: OrderWithHistory) -> dict[str, Any]:
    # The messages' data stays out: addresses are in it.
    shown = msgspec.structs.asdict(order)
    shown["history"] = [
        {
            "event_id": entry.event_id,
            "type": entry.type,
            "source": entry.source,
            "time": entry.time,
            "arrived_at": entry.arrived_at,
            "correlation_id": entry.correlation_id,
            "causation_id": entry.causation_id,
            "effect": effect_of(entry),
        }
        for entry in order.history
    ]
    return shown


def _json(status: int, content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")
