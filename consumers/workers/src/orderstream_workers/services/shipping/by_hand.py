"""What an operator has shipped: written into shipping's own guard, so that shipping does it no more."""

import datetime as dt

from orderstream.errors import OrderstreamError
from orderstream_consumer.idempotency import StateItems
from orderstream_consumer.store import ConditionFailedError, Store
from orderstream_workers.services.shipping.domain import Shipment, Taken, by_hand, is_by_hand
from orderstream_workers.services.shipping.handlers import SHIPMENTS


class AlreadyDecidedError(OrderstreamError):
    """Shipping has decided about the order already.

    Args:
        order_id: The order.
        decision: What shipping has decided: ``"taken"`` or ``"refused"``.
    """

    def __init__(self, order_id: str, decision: str) -> None:
        self.order_id = order_id
        self.decision = decision
        super().__init__(
            f"shipping has {decision} order {order_id!r} itself, and its reply is on its way; "
            "look at it with `orderstream order show` before anything is done by hand"
        )


def shipped_by_hand(store: Store, order_id: str, now: dt.datetime) -> None:
    """Record that an order was shipped past shipping; doing it again does no harm.

    Shipping may be down, with the request waiting in front of any event that could report it: so its record
    is written at once, on condition that there is none.

    Args:
        store: Where shipments are recorded.
        order_id: The order.
        now: The time (UTC).

    Raises:
        AlreadyDecidedError: shipping was faster; nothing was changed.
        DependencyError: the store did not respond; do it again.
    """
    shipment, items = by_hand(None, now), StateItems(SHIPMENTS.name, Shipment)
    try:
        store.transact([items.put(order_id, shipment)])
    except ConditionFailedError as error:
        item = store.get(SHIPMENTS.name, order_id)
        assert item is not None, "shipments are never deleted"
        found = items.state(item)
        if not is_by_hand(found):
            decision = "taken" if isinstance(found.outcome, Taken) else "refused"
            raise AlreadyDecidedError(order_id, decision) from error
