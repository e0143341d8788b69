"""Routes of order status without the orders API before them: everybody may see every order."""

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from orderstream_orders.api import OrderAccess
from orderstream_orders.api.guard import CallerGuard
from orderstream_orders.callers import LoopbackCallers
from orderstream_orders.callers.allowance import Allowances
from orderstream_orders.testing import MemoryIdempotencyStore


def access_for_everyone() -> OrderAccess:
    return OrderAccess(MemoryIdempotencyStore(), enforced=False)


def shown_to_anyone(routes: Sequence[BaseRoute]) -> Any:
    guard = Middleware(
        CallerGuard,
        authentication=LoopbackCallers(),
        allowances=Allowances(0.0, 0.0),
        monotonic=lambda: 0.0,
        refused=lambda _: None,
    )
    return Starlette(routes=routes, middleware=[guard])
