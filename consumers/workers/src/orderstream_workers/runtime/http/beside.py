"""What is served beside the orders API: routes of services and projections, and what the document says."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine
from starlette.routing import Route

from orderstream_consumer.store import Store
from orderstream_orders.api import OrderAccess
from orderstream_orders.api.openapi import Described
from orderstream_workers.projections import order_status
from orderstream_workers.services.inventory import http as stock

DESCRIBED: Final[tuple[Described, ...]] = (order_status.described(), stock.described())
"""What the OpenAPI document says of these routes."""


def routes_beside(
    engine: Engine, store: Store, access: OrderAccess, stopping: Callable[[], bool]
) -> list[Route]:
    """The routes.

    Args:
        engine: The read model's.
        store: Where services keep their state.
        access: Knows whose an order is.
        stopping: Whether the process is about to end: nobody waits then.
    """
    read_model, followers = order_status.ReadModel(engine), order_status.Followers(stopping=stopping)
    return [*order_status.routes(read_model, access, followers), *stock.routes(store)]
