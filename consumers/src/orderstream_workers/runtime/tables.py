"""Every table of the pipeline, for whoever creates or counts them."""

from typing import Final

from orderstream_workers.effects import RATE_LIMITS
from orderstream_workers.engine.delivery import INTERVENTIONS, PARKING
from orderstream_workers.engine.identity import CONSUMED_STREAMS
from orderstream_workers.engine.mark import ENGINES
from orderstream_workers.services import inventory, notifications, payments, saga, shipping
from orderstream_workers.store import TableSpec

IDEMPOTENCY_KEYS: Final = TableSpec("idempotency-keys")
"""The orders API's own table."""

TABLES: Final[tuple[TableSpec, ...]] = (
    IDEMPOTENCY_KEYS,
    RATE_LIMITS,
    PARKING,
    INTERVENTIONS,
    ENGINES,
    CONSUMED_STREAMS,
    *saga.TABLES,
    *inventory.TABLES,
    *payments.TABLES,
    *shipping.TABLES,
    *notifications.TABLES,
)
