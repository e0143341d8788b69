"""Orders that have not ended: which of them are late, and a person's decision about a step of one."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

from orderstream_consumer.store import Store
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.inventory.by_hand import released_by_hand
from orderstream_workers.services.payments.by_hand import refunded_by_hand
from orderstream_workers.services.saga import Resolution, open_orders, resolved
from orderstream_workers.services.saga.definition import CAPTURE_PAYMENT, RESERVE_STOCK, SHIP_ORDER
from orderstream_workers.services.saga.state import Saga
from orderstream_workers.services.shipping.by_hand import shipped_by_hand

RECORDED_BY_HAND: Final[Mapping[str, Callable[[Store, str, dt.datetime], None]]] = {
    RESERVE_STOCK.name: lambda store, order_id, _now: released_by_hand(store, order_id),
    CAPTURE_PAYMENT.name: refunded_by_hand,
    SHIP_ORDER.name: shipped_by_hand,
}
"""What writes into the state of a step's owner that a person has done the work. Every step has one."""


def orders_under_way(resources: Resources, *, late: bool = False) -> list[Saga]:
    """The orders that have not ended, by id.

    Args:
        resources: Where the coordinator keeps them.
        late: Only those with a response that is or was overdue.

    Raises:
        DependencyError: the store did not respond.
    """
    now = resources.clock()
    orders = sorted(open_orders(resources.store), key=lambda one: one.order.order_id)
    return [one for one in orders if not late or is_late(one, now)]


def is_late(saga: Saga, now: dt.datetime) -> bool:
    """Whether a response is overdue, or was and has been asked for again."""
    return any(timer.due < now or saga.asked_again(timer.step) for timer in saga.timers())


def resolve(resources: Resources, resolution: Resolution) -> None:
    """Decide about a step that gets no reply. Doing it again does no harm.

    What was done by hand is written into the guard of the step's owner, who then does it no more, and only
    then is the decision published: the owner may be merely down, and its request is in the stream in
    front of the decision.

    Args:
        resources: Where the order and the step's owner keep their state, and what publishes the decision.
        resolution: The decision.

    Raises:
        UnknownOrderError: the order was never placed.
        NotWaitingError: the step does not wait for such a decision.
        AlreadyDecidedError: shipping has decided about the shipment itself.
        DependencyError: the store or the stream did not respond; do it again.
    """
    now = resources.clock()
    envelope = resolved(resources.store, resolution, now)
    if resolution.decision == "done":
        RECORDED_BY_HAND[resolution.step](resources.store, resolution.order_id, now)
    resources.publisher.publish([envelope.encode()], resolution.order_id)
