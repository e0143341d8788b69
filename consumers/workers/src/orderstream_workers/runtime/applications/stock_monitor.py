"""The stock monitor: detects low stock from the changes of the stock table."""

from typing import Final

from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, StreamApplication
from orderstream_workers.runtime.topology.pipeline import STOCK_CHANGES
from orderstream_workers.services.stock_monitor import APPLICATION, StockChangeHandler, metrics

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="publishes low stock and what operators have adjusted, from the changes of the stock table",
    reads=STOCK_CHANGES,
    writes=(ORDERS,),
    settings=("low_stock_threshold",),
    metrics=metrics.METRICS,
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    tally = resources.counting(metrics.COUNTED)
    handler = StockChangeHandler(
        publisher=resources.publisher,
        threshold=resources.settings.low_stock_threshold,
        spans=resources.process_spans(DECLARATION),
        count=tally.count,
    )
    return resources.handled_in_lanes(DECLARATION, handler, tally=tally)
