"""A parcel that has left, as shipping keeps it."""

import datetime as dt

from orderstream_consumer.idempotency import StateItems
from orderstream_consumer.store import Store
from orderstream_workers.services.shipping.domain import Shipment, Taken
from orderstream_workers.services.shipping.handlers import SHIPMENTS
from orderstream_workers.services.shipping.parcels import Parcel, Phase


def parcel_left(store: Store, order_id: str, now: dt.datetime) -> None:
    """Record that an order's parcel was handed over, unless shipping knows of one."""
    if store.get(SHIPMENTS.name, order_id) is None:
        shipment = Shipment(Taken("sh_1", None, 1), now, Parcel(Phase.HANDED_OVER, now))
        store.transact([StateItems(SHIPMENTS.name, Shipment).put(order_id, shipment)])
