"""Shipping: takes orders over for shipment."""

from orderstream_orders.contracts import RefuseShipment, StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.shipping import APPLICATION, TABLES, ShippingHandlers


def build(resources: Resources) -> Application:
    """Wire the application."""
    named = (country.strip() for country in resources.settings.unserved_countries.split(","))
    handlers = ShippingHandlers(
        store=resources.store,
        publisher=resources.publisher,
        clock=resources.deciding_clock,
        unserved_countries=frozenset(country for country in named if country),
    )
    return resources.in_lanes(
        APPLICATION,
        handlers.routes(),
        overtaking=(RefuseShipment, StepResolved),
        dependencies=resources.tables(*TABLES),
    )
