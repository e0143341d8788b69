"""Notifications: the customer hears the outcome."""

from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.clients import ses_client
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.notifications import APPLICATION, NotificationHandlers, SesMailer


def build(resources: Resources) -> Application:
    """Wire the application."""
    ses = ses_client()
    resources.close_later(ses.close)
    handlers = NotificationHandlers(
        store=resources.store,
        emitter=resources.emitter,
        mailer=SesMailer(ses, resources.settings.mail_sender),
        clock=resources.clock,
    )
    return resources.in_lanes(APPLICATION, handlers.routes())
