"""Stock: reservations of all of an order's lines or none, which balance to the unit."""

from typing import Final

from orderstream_consumer.store import TableSpec
from orderstream_workers.services.inventory.adjustments import Adjusted, Adjustment, adjust
from orderstream_workers.services.inventory.errors import (
    AdjustmentKeyTakenError,
    CorrectionRefusedError,
    StockItemError,
    UnknownSkuError,
)
from orderstream_workers.services.inventory.handlers import InventoryHandlers
from orderstream_workers.services.inventory.reservations import RESERVATIONS
from orderstream_workers.services.inventory.stock import STOCK, StockLevel, read_stock, seed_stock, stock_of

APPLICATION: Final = "inventory"
"""The consumer application's name."""

TABLES: Final[tuple[TableSpec, ...]] = (STOCK, RESERVATIONS)
"""The tables that inventory keeps its state in."""

__all__ = [
    "APPLICATION",
    "STOCK",
    "TABLES",
    "Adjusted",
    "Adjustment",
    "AdjustmentKeyTakenError",
    "CorrectionRefusedError",
    "InventoryHandlers",
    "StockItemError",
    "StockLevel",
    "UnknownSkuError",
    "adjust",
    "read_stock",
    "seed_stock",
    "stock_of",
]
