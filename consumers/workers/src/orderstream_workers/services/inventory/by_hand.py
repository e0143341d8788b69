"""What an operator has released: written into the reservation, so that inventory moves no unit twice."""

from orderstream_consumer.store import ConditionFailedError, Store
from orderstream_workers.services.inventory.domain import released_by_hand as released
from orderstream_workers.services.inventory.reservations import Reservations


def released_by_hand(store: Store, order_id: str) -> None:
    """Record that nothing of an order is reserved any more; doing it again does no harm.

    The stock items are the operator's: with this decision they have moved the units. Inventory may be down,
    with the release waiting in front of any event that could report it: so its header is written at once.

    Args:
        store: Where reservations are kept.
        order_id: The order.

    Raises:
        DependencyError: the store did not respond; do it again.
    """
    reservations = Reservations(store)
    while True:
        stored = reservations.load(order_id)
        state = released(stored.state)
        if state is None:
            return
        try:
            store.transact([reservations.header(order_id, stored, stored.replaced(state))])
        except ConditionFailedError:
            continue  # inventory was faster: look again at what is left to do
        return
