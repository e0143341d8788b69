"""Tells the owner of a step that it was done by hand, before anybody counts it as done."""

import datetime as dt

from orderstream_workers.services.inventory.by_hand import released_by_hand
from orderstream_workers.services.payments.by_hand import refunded_by_hand
from orderstream_workers.services.saga import Resolution
from orderstream_workers.services.shipping.by_hand import shipped_by_hand
from orderstream_workers.store import Store


def record_by_hand(store: Store, resolution: Resolution, now: dt.datetime) -> None:
    """Write what was done by hand into the guard of the step's owner, who then does it no more.

    Only then may the decision be published: the owner may be merely down, and its request stands in the
    stream in front of the decision.

    Args:
        store: Where the owners keep their state.
        resolution: The decision; only ``"done"`` concerns the owner.
        now: The time (UTC).

    Raises:
        AlreadyDecidedError: shipping has decided about the shipment itself.
        DependencyError: the store did not answer; do it again.
    """
    if resolution.decision != "done":
        return
    match resolution.step:
        case "ship_order":
            shipped_by_hand(store, resolution.order_id, now)
        case "capture_payment":
            refunded_by_hand(store, resolution.order_id, now)
        case "reserve_stock":
            released_by_hand(store, resolution.order_id)
