"""Payments' stream side: takes commands and queues them for the payment worker."""

from typing import Final

from orderstream_orders.contracts import RefundPayment, StepResolved
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, StreamApplication
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE
from orderstream_workers.services.payments import APPLICATION, TABLES, PaymentHandlers

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="takes the commands of payments, and queues them for the payment worker",
    writes=(ORDERS,),
    needs=(*TABLES, PAYMENT_QUEUE),
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    handlers = PaymentHandlers(
        store=resources.store,
        publisher=resources.publisher,
        queue=resources.payment_queue,
        clock=resources.deciding_clock,
    )
    return resources.in_lanes(DECLARATION, handlers.routes(), overtaking=(RefundPayment, StepResolved))
