"""The stock monitor: tells of low stock, from the changes of the stock table."""

from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.stock_monitor import APPLICATION, StockChangeHandler


def build(resources: Resources) -> Application:
    """Wire the application."""
    settings = resources.settings
    handler = StockChangeHandler(
        publisher=resources.publisher,
        threshold=settings.low_stock_threshold,
        count=resources.tally.count,
    )
    return resources.handled_in_lanes(APPLICATION, handler, stream=settings.stock_stream)
