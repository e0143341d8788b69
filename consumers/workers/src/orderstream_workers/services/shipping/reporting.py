"""What a person or the carrier scans, as an event for shipping; and the parcels that there are."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orderstream.messages import Envelope, check_identifier, initial, initial_event_id
from orderstream_consumer.idempotency import StateItems
from orderstream_consumer.store import Store
from orderstream_orders.contracts import ParcelScan, ParcelScanned
from orderstream_workers.services.shipping.domain import Shipment, Taken
from orderstream_workers.services.shipping.errors import ScanRefusedError, UnknownShipmentError
from orderstream_workers.services.shipping.handlers import SHIPMENTS
from orderstream_workers.services.shipping.parcels import Parcel, moves, why_not

MAX_TEXT: Final = 256
"""Characters of operator and reason: the event carries them, and the order's story shows them."""

_ITEMS: Final = StateItems(SHIPMENTS.name, Shipment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A scan of an order's parcel, as it is reported.

    Attributes:
        order_id: The order.
        scan: What was scanned.
        operator: Who scanned it: a person, or the carrier's name; 1 to 256 characters.
        key: Names this scan, and no other one: an operator's second scan is another event.
        reason: Why it has come back, 1 to 256 characters; None where there is nothing to say.
    """

    order_id: str
    scan: ParcelScan
    operator: str
    key: str
    reason: str | None = None

    def __post_init__(self) -> None:
        """Check that the scan can be accounted for."""
        check_identifier("order_id", self.order_id)
        check_identifier("key", self.key)
        for name, text in (("operator", self.operator), ("reason", self.reason)):
            if text is not None and not (text.strip() and len(text) <= MAX_TEXT and text.isprintable()):
                raise ValueError(f"{name} must have 1 to {MAX_TEXT} printable characters")


@dataclass(frozen=True, slots=True)
class ShownParcel:
    """A parcel of an order whose shipment was taken.

    Attributes:
        order_id: The order.
        shipment_id: The shipment's id; ``"by-hand"`` where an operator shipped past shipping.
        country: Destination, as the shop writes it.
        units: Units in it.
        taken_at: When the shipment was taken (UTC); None in records of the first days.
        parcel: Who has it.
    """

    order_id: str
    shipment_id: str
    country: str | None
    units: int
    taken_at: dt.datetime | None
    parcel: Parcel


def reported(store: Store, report: Report, now: dt.datetime) -> Envelope | None:
    """The event that reports a scan; nothing is written here: shipping decides, in the order of the stream.

    Args:
        store: Where shipments are.
        report: The scan.
        now: When it was made (UTC, with zone).

    Returns:
        The event; None where the parcel is as far already, so that there is nothing to report.

    Raises:
        UnknownShipmentError: no shipment of the order was asked for.
        ScanRefusedError: the scan cannot be right.
        DependencyError: the store did not respond.
    """
    item = store.get(SHIPMENTS.name, report.order_id)
    if item is None:
        raise UnknownShipmentError(report.order_id)
    parcel = _ITEMS.state(item).parcel
    reason = "not_shipped" if parcel is None else why_not(parcel, report.scan)
    if parcel is None or reason is not None:
        raise ScanRefusedError(report.order_id, report.scan, reason or "not_shipped")
    if not moves(parcel, report.scan):
        return None
    event = ParcelScanned(
        order_id=report.order_id, scan=report.scan, operator=report.operator, reason=report.reason
    )
    event_id = initial_event_id("operators", report.operator, f"parcel/{report.order_id}/{report.key}")
    return initial(event, source="operators", event_id=event_id, time=now)


def parcels(store: Store) -> Iterator[ShownParcel]:
    """The parcels of all orders whose shipment was taken, in no particular order; reads the whole table.

    Args:
        store: Where shipments are.

    Raises:
        DependencyError: the store did not respond.
    """
    for item in store.scan(SHIPMENTS.name):
        shipment = _ITEMS.state(item)
        outcome, parcel = shipment.outcome, shipment.parcel
        if parcel is not None and isinstance(outcome, Taken):
            yield ShownParcel(
                item.key, outcome.shipment_id, outcome.country, outcome.units, shipment.decided_at, parcel
            )
