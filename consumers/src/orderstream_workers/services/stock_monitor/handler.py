"""The stock monitor's place in the stream of changes."""

import logging
from collections.abc import Callable

from orderstream_workers.effects import Emitter
from orderstream_workers.engine.record import DeliveredRecord
from orderstream_workers.services.stock_monitor.change import read_change
from orderstream_workers.services.stock_monitor.detection import detect

logger = logging.getLogger(__name__)


class StockChangeHandler:
    """Emits ``LowStockDetected`` for each change that crosses the threshold. It keeps no state.

    Args:
        emitter: Puts the events into the stream of messages.
        threshold: Units at which stock counts as low, 0 or above.
        count: Counts ``low_stock``: crossings told, copies of a change included.
    """

    def __init__(self, *, emitter: Emitter, threshold: int, count: Callable[[str], object]) -> None:
        self._emitter = emitter
        self._threshold = threshold
        self._count = count

    def handle(self, record: DeliveredRecord) -> None:
        """Look at one change; returns once the event, if there is one, is acknowledged.

        Raises:
            NotAStockChangeError: the record cannot be read.
            DependencyError: the stream did not answer; handle the record again.
        """
        event = detect(read_change(record.data), self._threshold)
        if event is None:
            return
        self._emitter.emit([event.encode()], event.subject)
        self._count("low_stock")
        logger.info("stock is low", extra={"sku": event.subject, "event_id": event.id})
