"""The saga coordinator, with its timers beside it."""

from typing import Final

from orderstream_orders.contracts import StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, StreamApplication
from orderstream_workers.services.saga import APPLICATION, METRICS, TABLES, SagaHandlers, TimerPoller

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="asks for each step of an order in turn, and undoes what it must",
    writes=(ORDERS,),
    needs=TABLES,
    metrics=METRICS,
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    store, publisher, clock = resources.store, resources.publisher, resources.deciding_clock
    handlers = SagaHandlers(
        store=store, publisher=publisher, clock=clock, count=resources.tally.count, meter=resources.meter
    )
    timers = TimerPoller(store=store, publisher=publisher, clock=clock, tracer=resources.tracer)
    return resources.in_lanes(
        DECLARATION,
        handlers.routes(),
        background=(timers.run,),
        overtaking=(StepResolved,),
        is_known=handlers.has_taken,
    )
