"""Shipping: takes orders over, or says for good that it cannot; knows who has their parcels."""

from typing import Final

from orderstream_consumer.store import TableSpec
from orderstream_workers.services.shipping.handlers import SHIPMENTS, ShippingHandlers

APPLICATION: Final = "shipping"
"""Names the consumer's leases and checkpoints."""

TABLES: Final[tuple[TableSpec, ...]] = (SHIPMENTS,)
"""The tables it needs."""

__all__ = ["APPLICATION", "TABLES", "ShippingHandlers"]
