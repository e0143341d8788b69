"""Every table of the pipeline, for whoever creates or counts them."""

from typing import Final

from orderstream_consumer.delivery import INTERVENTIONS, PARKING
from orderstream_consumer.engines.ownership import ENGINES
from orderstream_consumer.engines.stream_identity import CONSUMED_STREAMS
from orderstream_consumer.limits import RATE_LIMITS
from orderstream_consumer.store import TableSpec
from orderstream_workers.services import inventory, notifications, payments, saga, shipping

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
