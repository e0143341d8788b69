"""The saga coordinator, with its timers beside it."""

from orderstream_orders.contracts import StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.saga import APPLICATION, TABLES, SagaHandlers, TimerPoller


def build(resources: Resources) -> Application:
    """Wire the application."""
    store, publisher, clock = resources.store, resources.publisher, resources.deciding_clock
    handlers = SagaHandlers(store=store, publisher=publisher, clock=clock, count=resources.tally.count)
    timers = TimerPoller(store=store, publisher=publisher, clock=clock)
    return resources.in_lanes(
        APPLICATION,
        handlers.routes(),
        background=(timers.run,),
        overtaking=(StepResolved,),
        dependencies=resources.tables(*TABLES),
        is_known=handlers.has_taken,
    )
