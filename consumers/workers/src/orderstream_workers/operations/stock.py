"""Stock, as people look at it and change it."""

from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.inventory import (
    Adjusted,
    Adjustment,
    StockLevel,
    UnknownSkuError,
    adjust,
    stock_of,
)

__all__ = ["Adjusted", "Adjustment", "StockLevel", "adjust_stock", "stock_level"]


def stock_level(resources: Resources, sku: str) -> StockLevel:
    """What there is of a SKU.

    Args:
        resources: Where the stock is kept.
        sku: Stock keeping unit.

    Raises:
        UnknownSkuError: there is no stock of it, and never was.
        StockItemError: the item was written by hand and cannot be read.
        DependencyError: the store did not respond.
    """
    level = stock_of(resources.store, sku)
    if level is None:
        raise UnknownSkuError(sku)
    return level


def adjust_stock(resources: Resources, asked: Adjustment) -> Adjusted:
    """Receive goods, or correct a count; see ``services.inventory.adjustments.adjust``."""
    return adjust(resources.store, asked, resources.deciding_clock)
