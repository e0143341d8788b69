"""Inventory: reserves, releases and sells stock."""

from typing import Final

from orderstream_orders.contracts import ReleaseStock, StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, StreamApplication
from orderstream_workers.services.inventory import APPLICATION, TABLES, InventoryHandlers

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="reserves, releases and sells stock",
    writes=(ORDERS,),
    needs=TABLES,
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    handlers = InventoryHandlers(
        store=resources.store,
        publisher=resources.publisher,
        clock=resources.deciding_clock,
        count=resources.tally.count,
    )
    return resources.in_lanes(DECLARATION, handlers.routes(), overtaking=(ReleaseStock, StepResolved))
