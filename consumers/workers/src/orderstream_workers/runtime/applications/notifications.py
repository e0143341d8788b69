"""Notifications: the customer hears the outcome, operators hear of low stock."""

from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.asked import sender_asked, topic_asked
from orderstream_workers.runtime.clients import ses_client, sns_client
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.notifications import (
    APPLICATION,
    TABLES,
    AlertHandlers,
    NotificationHandlers,
    SesMailer,
    SnsOperators,
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    settings = resources.settings
    ses, sns = ses_client(), sns_client()
    resources.close_later(ses.close)
    resources.close_later(sns.close)
    customers = NotificationHandlers(
        store=resources.store,
        publisher=resources.publisher,
        mailer=SesMailer(ses, settings.mail_sender),
        clock=resources.deciding_clock,
    )
    operators = AlertHandlers(store=resources.store, operators=SnsOperators(sns, settings.operators_topic))
    return resources.in_lanes(
        APPLICATION,
        {**customers.routes(), **operators.routes()},
        dependencies=[
            *resources.tables(*TABLES),
            topic_asked(sns, settings.operators_topic),
            sender_asked(ses, settings.mail_sender),
        ],
    )
