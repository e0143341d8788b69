"""The stock monitor: says what happened to stock, from its captured changes: low stock, and adjustments."""

from typing import Final

from orderstream_workers.services.stock_monitor.change import NotAStockChangeError, StockChange, read_change
from orderstream_workers.services.stock_monitor.detection import SOURCE, detect
from orderstream_workers.services.stock_monitor.handler import StockChangeHandler

APPLICATION: Final = SOURCE
"""The consumer application's name."""

__all__ = [
    "APPLICATION",
    "SOURCE",
    "NotAStockChangeError",
    "StockChange",
    "StockChangeHandler",
    "detect",
    "read_change",
]
