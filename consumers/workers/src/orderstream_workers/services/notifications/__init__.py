"""Notifications: customers are notified of how orders ended and of their parcels, operators of low stock."""

from typing import Final

from orderstream_consumer.store import TableSpec
from orderstream_workers.services.notifications.alerts import ALERTS, AlertHandlers
from orderstream_workers.services.notifications.domain import Mail
from orderstream_workers.services.notifications.handlers import NOTICES, NotificationHandlers
from orderstream_workers.services.notifications.mailer import Mailer, MailRefusedError, SesMailer
from orderstream_workers.services.notifications.operators import (
    LowStockAlert,
    Operators,
    SnsOperators,
)

APPLICATION: Final = "notifications"
"""The consumer application's name."""

TABLES: Final[tuple[TableSpec, ...]] = (NOTICES, ALERTS)
"""The tables that notifications keep their state in."""

__all__ = [
    "APPLICATION",
    "TABLES",
    "AlertHandlers",
    "LowStockAlert",
    "Mail",
    "MailRefusedError",
    "Mailer",
    "NotificationHandlers",
    "Operators",
    "SesMailer",
    "SnsOperators",
]
