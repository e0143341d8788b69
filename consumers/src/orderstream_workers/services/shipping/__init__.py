"""Shipping: takes orders over, or says for good that it cannot."""

from typing import Final

from orderstream_workers.services.shipping.handlers import SHIPMENTS, ShippingHandlers
from orderstream_workers.store import TableSpec

APPLICATION: Final = "shipping"
"""Names the consumer's leases and checkpoints."""

TABLES: Final[tuple[TableSpec, ...]] = (SHIPMENTS,)
"""The tables it needs."""

__all__ = ["APPLICATION", "TABLES", "ShippingHandlers"]
