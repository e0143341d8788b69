"""Payments' stream side: takes commands and queues them for the payment worker."""

from orderstream_orders.contracts import RefundPayment, StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.payments import APPLICATION, TABLES, PaymentHandlers


def build(resources: Resources) -> Application:
    """Wire the application."""
    handlers = PaymentHandlers(
        store=resources.store,
        publisher=resources.publisher,
        queue=resources.payment_queue,
        clock=resources.deciding_clock,
    )
    return resources.in_lanes(
        APPLICATION,
        handlers.routes(),
        overtaking=(RefundPayment, StepResolved),
        dependencies=[
            *resources.tables(*TABLES),
            resources.queue(resources.settings.payment_queue, resources.payment_queue),
        ],
    )
