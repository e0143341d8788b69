"""The stock monitor's handler of captured changes."""

import logging
from collections.abc import Callable

from orderstream_consumer.idempotency import Publisher
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_workers.services.stock_monitor.change import read_change
from orderstream_workers.services.stock_monitor.detection import detect

logger = logging.getLogger(__name__)


class StockChangeHandler:
    """Publishes what a change has to say: an adjustment's event, and ``LowStockDetected``. It keeps no state.

    Args:
        publisher: Puts the events into the stream of messages.
        threshold: Units at which stock counts as low, 0 or above.
        spans: Begins the span of a change that has something to say; by default nothing is traced.
        count: Counts ``low_stock``, ``adjusted`` and ``stock_negative``, copies of a change included.
    """

    def __init__(
        self,
        *,
        publisher: Publisher,
        threshold: int,
        count: Callable[[str], object],
        spans: ProcessSpans = NOT_TRACED,
    ) -> None:
        self._publisher = publisher
        self._threshold = threshold
        self._count = count
        self._spans = spans

    def handle(self, record: DeliveredRecord) -> None:
        """Look at one change; returns once its events, if there are any, are acknowledged.

        Raises:
            NotAStockChangeError: the record cannot be read.
            DependencyError: the stream did not respond; handle the record again.
        """
        change = read_change(record.data)
        if change.after is not None and change.after < 0:
            self._count("stock_negative")
            logger.error("ALERT: fewer than no units are available", extra={"sku": change.sku})
        low = detect(change, self._threshold)
        events = [] if change.event is None else [change.event]
        if low is not None:
            events.append(low.encode())
        if not events:
            return
        with self._spans.record(record) as span:
            span.set("orderstream.sku", change.sku)
            self._publisher.publish(events, change.sku)
        if change.event is not None:
            self._count("adjusted")
            logger.info("stock was adjusted", extra={"sku": change.sku})
        if low is not None:
            self._count("low_stock")
            logger.info("stock is low", extra={"sku": low.subject, "event_id": low.id})
