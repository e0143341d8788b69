"""The coordinator of orders: asks the services for each step in turn, and undoes what it must."""

from typing import Final

from orderstream_consumer.store import TableSpec
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.errors import NotWaitingError
from orderstream_workers.services.saga.handlers import SAGAS, SagaHandlers, find_order, open_orders
from orderstream_workers.services.saga.metrics import METRICS
from orderstream_workers.services.saga.resolution import Resolution, resolved
from orderstream_workers.services.saga.timers import TIMERS, TimerPoller

APPLICATION: Final = "saga"
"""Names the consumer's leases and checkpoints."""

TABLES: Final[tuple[TableSpec, ...]] = (SAGAS, TIMERS)
"""The tables it needs."""

__all__ = [
    "APPLICATION",
    "METRICS",
    "TABLES",
    "NotWaitingError",
    "Resolution",
    "SagaDeadlines",
    "SagaHandlers",
    "TimerPoller",
    "find_order",
    "open_orders",
    "resolved",
]
