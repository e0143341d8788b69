"""What the stock monitor measures."""

from typing import Final

from orderstream.observability.metrics import Kind, Metric

LOW_STOCK: Final = Metric(
    "LowStock", Kind.COUNTER, "Count", "Changes that took a SKU to the threshold or below it."
)
ADJUSTED: Final = Metric("StockAdjusted", Kind.COUNTER, "Count", "Adjustments of stock by operators.")
STOCK_NEGATIVE: Final = Metric(
    "StockNegative",
    Kind.COUNTER,
    "Count",
    "Changes after which a SKU had fewer than no units available: more was promised than there is.",
)

COUNTED: Final = {"low_stock": LOW_STOCK, "adjusted": ADJUSTED, "stock_negative": STOCK_NEGATIVE}
"""By the names that its handler counts."""

METRICS: Final = tuple(COUNTED.values())
"""All of them."""
