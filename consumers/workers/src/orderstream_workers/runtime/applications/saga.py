"""The saga coordinator, with its timers beside it."""

from typing import Final

from orderstream_orders.contracts import StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, AlarmSpec, OwnMetric, Series, StreamApplication
from orderstream_workers.services.saga import APPLICATION, METRICS, TABLES, SagaHandlers, TimerPoller
from orderstream_workers.services.saga.definition import step_names
from orderstream_workers.services.saga.metrics import SAGA_OVERDUE


def _overdue(step: str) -> AlarmSpec:
    return AlarmSpec(
        name=f"{APPLICATION}-{step.replace('_', '-')}-overdue",
        about=APPLICATION,
        says=f"orders have waited for {step} beyond its deadline, and are cancelled or asked again: see "
        "which with `orderstream saga list --late`, then look at the owner of the step.",
        runbook="an-order-does-not-end",
        watches=Series(OwnMetric(SAGA_OVERDUE, APPLICATION, (step,)), "Sum"),
        comparison="GreaterThanThreshold",
        threshold=0,
        because="a deadline is ten minutes or more: an owner that is late once is late for all behind it",
        period_seconds=300,
    )


DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="asks for each step of an order in turn, and undoes what it must",
    writes=(ORDERS,),
    needs=TABLES,
    metrics=METRICS,
    alarms=tuple(_overdue(step) for step in step_names()),
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    store, publisher, clock = resources.store, resources.publisher, resources.deciding_clock
    handlers = SagaHandlers(
        store=store,
        publisher=publisher,
        clock=clock,
        count=resources.tally.count,
        meter=resources.meter,
        region=resources.region,
    )
    timers = TimerPoller(store=store, publisher=publisher, clock=clock, tracer=resources.tracer)
    return resources.in_lanes(
        DECLARATION,
        handlers.routes(),
        background=(timers.run,),
        overtaking=(StepResolved,),
        is_known=handlers.has_taken,
    )
