"""Stock over HTTP, to be served beside the orders API: ``GET /stock/{sku}``."""

import logging
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Final

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orderstream.errors import DependencyError
from orderstream_consumer.store import Store
from orderstream_orders.api.openapi import Described, operation
from orderstream_orders.api.responses import Problem, json_response
from orderstream_orders.callers import READ
from orderstream_orders.contracts.sku import MAX_SKU, is_sku
from orderstream_workers.services.inventory.stock import StockLevel, stock_of

logger = logging.getLogger(__name__)

_RETRY_AFTER: Final = 1
"""Seconds after which a caller should ask again."""


class ShownStock(msgspec.Struct, frozen=True, kw_only=True):
    """What can be ordered of a SKU. What is reserved and what was sold is nobody's business outside.

    Attributes:
        sku: Stock keeping unit, in upper case.
        available: Units that no order holds now; another order may be faster.
    """

    sku: str
    available: int


def routes(store: Store) -> list[Route]:
    """The route of stock.

    Args:
        store: Where the stock is kept. A read blocks, so each runs in a thread of its own.
    """
    # A SKU may have a slash in it.
    return [Route("/stock/{sku:path}", partial(_show, partial(stock_of, store)), methods=["GET"])]


async def _show(level_of: Callable[[str], StockLevel | None], request: Request) -> Response:
    sku = request.path_params["sku"].upper()
    try:
        level = await to_thread.run_sync(level_of, sku) if is_sku(sku) else None
    except DependencyError as error:
        logger.warning("stock cannot be shown for now", extra={"reason": type(error).__name__})
        problem = Problem(code="unavailable", message="stock cannot be looked up now: ask again")
        return json_response(
            HTTPStatus.SERVICE_UNAVAILABLE, problem, headers={"Retry-After": str(_RETRY_AFTER)}
        )
    if level is None:
        problem = Problem(code="unknown_sku", message="there is no stock of that SKU, and never was")
        return json_response(HTTPStatus.NOT_FOUND, problem)
    return json_response(HTTPStatus.OK, ShownStock(sku=sku, available=level.available))


def described() -> Described:
    """What the OpenAPI document says of the route."""
    show = operation(
        "showStock",
        "Return what can be ordered of a SKU.",
        {
            HTTPStatus.OK: ("The stock.", ShownStock),
            HTTPStatus.BAD_REQUEST: ("A header is not for clients to send.", Problem),
            HTTPStatus.NOT_FOUND: ("There is no stock of that SKU, and never was.", Problem),
            HTTPStatus.SERVICE_UNAVAILABLE: ("Stock cannot be looked up now.", Problem),
        },
        scope=READ,
        parameters=[
            {
                "name": "sku",
                "in": "path",
                "required": True,
                "description": "Stock keeping unit; its case makes no difference.",
                "schema": {"type": "string", "minLength": 1, "maxLength": MAX_SKU},
            }
        ],
    )
    return Described(paths={"/stock/{sku}": {"get": show}}, types=(ShownStock,))
