"""Alerts to operators about low stock.

::

    (none) ──LowStockDetected──> PENDING ──the topic has taken it──> NOTIFIED
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from orderstream_consumer.idempotency import Received
from orderstream_consumer.store import ConditionFailedError, Item, Put, Store, TableSpec
from orderstream_orders.contracts import LowStockDetected
from orderstream_workers.services.notifications.acceptances import Acceptances
from orderstream_workers.services.notifications.operators import LowStockAlert, Operators

logger = logging.getLogger(__name__)

ALERTS: Final = TableSpec("alerts")
"""Key: id of the event. Attributes: phase (``PENDING``, ``NOTIFIED``), the record that wrote the intent."""

_PENDING: Final = "PENDING"
_NOTIFIED: Final = "NOTIFIED"


class AlertHandlers:
    """Notifies operators of each ``LowStockDetected`` once, by the event's id.

    As with the customers' mail, the intent is written first and one narrow window remains: where the process
    dies, or loses its shard, between SNS's acceptance and our record of it, or where SNS' response is lost,
    the alert is published again, with the same event id in it.

    Args:
        store: Where alerts are kept.
        operators: Takes the alerts.
    """

    def __init__(self, *, store: Store, operators: Operators) -> None:
        self._store = store
        self._operators = operators
        self._acceptances = Acceptances()

    def routes(self) -> Mapping[str, Callable[[Received], None]]:
        """The handler of each type, by type name."""
        return {LowStockDetected.type_name(): self.alert}

    def alert(self, received: Received) -> None:
        """Notify the operators.

        Raises:
            DependencyError: the store or SNS did not respond; handle it again.
        """
        event = received.message(LowStockDetected)
        item = self._intended(received)
        if item.attributes["phase"] == _NOTIFIED or item.attributes["record_id"] != received.record_id:
            # Notified, or about to be: the record that wrote the intent is its own retry.
            logger.debug("low stock is being reported already", extra={"event_id": received.envelope.id})
            return
        alert = LowStockAlert(
            event_id=received.envelope.id,
            sku=event.sku,
            available=event.available,
            threshold=event.threshold,
            at=received.envelope.time.isoformat(),
        )
        self._acceptances.perform(alert.event_id, received.record_id, lambda: self._operators.notify(alert))
        try:
            self._store.transact(
                [Put(ALERTS.name, item.key, {**item.attributes, "phase": _NOTIFIED}, item.version)]
            )
        except ConditionFailedError:
            # A zombie at the same record recorded it first, or this write's own response got lost.
            logger.debug("alert recorded already", extra={"event_id": received.envelope.id})
        self._acceptances.recorded(alert.event_id, received.record_id)

    def _intended(self, received: Received) -> Item:
        """Write the intent unless it is there, and return the item."""
        event_id = received.envelope.id
        found = self._store.get(ALERTS.name, event_id)
        if found is not None:
            return found
        try:
            self._store.transact(
                [Put(ALERTS.name, event_id, {"phase": _PENDING, "record_id": received.record_id}, None)]
            )
        except ConditionFailedError:
            logger.debug("another worker was faster", extra={"event_id": event_id})
        found = self._store.get(ALERTS.name, event_id)
        assert found is not None, "alerts are never deleted"
        return found
