"""Shipping: takes orders over for shipment."""

from typing import Final

from orderstream_orders.contracts import RefuseShipment, StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, StreamApplication
from orderstream_workers.services.shipping import APPLICATION, TABLES, ShippingHandlers

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="takes orders over for shipment",
    writes=(ORDERS,),
    needs=TABLES,
    settings=("unserved_countries",),
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    named = (country.strip() for country in resources.settings.unserved_countries.split(","))
    handlers = ShippingHandlers(
        store=resources.store,
        publisher=resources.publisher,
        clock=resources.deciding_clock,
        unserved_countries=frozenset(country for country in named if country),
    )
    return resources.in_lanes(DECLARATION, handlers.routes(), overtaking=(RefuseShipment, StepResolved))
