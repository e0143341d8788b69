"""Notifications: mails to customers about the outcome of orders, alerts to operators about low stock."""

from typing import Final

from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, StreamApplication
from orderstream_workers.runtime.topology.pipeline import MAIL_SENDER, OPERATORS_TOPIC
from orderstream_workers.services.notifications import (
    APPLICATION,
    TABLES,
    AlertHandlers,
    NotificationHandlers,
    SesMailer,
    SnsOperators,
)

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="notifies customers of the outcome of their order, and operators of low stock",
    writes=(ORDERS,),
    needs=(*TABLES, OPERATORS_TOPIC, MAIL_SENDER),
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    settings = resources.settings
    customers = NotificationHandlers(
        store=resources.store,
        publisher=resources.publisher,
        mailer=SesMailer(resources.ses, settings.name_of(MAIL_SENDER)),
        clock=resources.deciding_clock,
    )
    topic = SnsOperators(resources.sns, settings.name_of(OPERATORS_TOPIC))
    operators = AlertHandlers(store=resources.store, operators=topic)
    return resources.in_lanes(DECLARATION, {**customers.routes(), **operators.routes()})
