"""The stock monitor: detects low stock from the changes of the stock table."""

from typing import Final

from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import ORDERS, AlarmSpec, OwnMetric, Series, StreamApplication
from orderstream_workers.runtime.topology.pipeline import STOCK_CHANGES
from orderstream_workers.services.stock_monitor import APPLICATION, StockChangeHandler, metrics

NEGATIVE: Final = AlarmSpec(
    name="stock-negative",
    about=APPLICATION,
    says="a SKU has fewer than no units available, so more was promised than there is: the log of the stock "
    "monitor names it; compare it with `orderstream stock show SKU`.",
    runbook="stock-is-negative",
    watches=Series(OwnMetric(metrics.STOCK_NEGATIVE, APPLICATION), "Sum"),
    comparison="GreaterThanThreshold",
    threshold=0,
    because="every reservation is conditional on enough units: once is a defect, or an item written by hand",
)

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="publishes low stock and what operators have adjusted, from the changes of the stock table",
    reads=STOCK_CHANGES,
    writes=(ORDERS,),
    settings=("low_stock_threshold",),
    metrics=metrics.METRICS,
    alarms=(NEGATIVE,),
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
