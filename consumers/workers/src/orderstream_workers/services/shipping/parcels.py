"""An order's parcel once the shipment is taken: who has it, by what was scanned. Pure.

::

    (shipment taken) ──handed over──> HANDED_OVER ──delivered──> DELIVERED
                                           │                        │
                                           └───────> RETURNED <─────┘ returned

A shipment that an operator made past shipping has left already: its parcel is HANDED_OVER from the start.

A parcel only moves on. A scan that says what is known changes nothing, however often and late it comes; one
that cannot be right is refused, and its id is kept: read again later, it must not be believed then.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from orderstream_orders.contracts import (
    Customer,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
    ParcelScan,
    ParcelScanned,
    ParcelScanRefused,
)

MAX_REFUSED: Final = 16
"""Refused scans of one parcel whose ids are kept; what is scanned wrongly more often gets no reply."""


class Phase(enum.StrEnum):
    """Who has the parcel; see the module's diagram. None of them: it waits to be handed over."""

    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    RETURNED = "returned"


class Parcel(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of an order's parcel.

    Attributes:
        phase: Who has it; None while it waits to be handed over.
        since: Since when (UTC), by shipping's clock; None while it waits.
        delivered: True once the customer had it, whatever came later.
        refused: Ids of the scans that were refused, at most ``MAX_REFUSED``.
    """

    phase: Phase | None = None
    since: dt.datetime | None = None
    delivered: bool = False
    refused: tuple[str, ...] = ()


WAITING: Final = Parcel()
"""A parcel that nobody has scanned."""

Fact = ParcelHandedOver | ParcelDelivered | ParcelReturned
"""What becomes of a scan that moves the parcel on."""

_MOVES: Final[Mapping[tuple[Phase | None, ParcelScan], Phase]] = {
    (None, "handed_over"): Phase.HANDED_OVER,
    (Phase.HANDED_OVER, "delivered"): Phase.DELIVERED,
    (Phase.HANDED_OVER, "returned"): Phase.RETURNED,
    (Phase.DELIVERED, "returned"): Phase.RETURNED,
}


def why_not(parcel: Parcel, scan: ParcelScan) -> str | None:
    """Why a scan cannot be right: ``"not_handed_over"`` or ``"already_returned"``; None where it can be."""
    if parcel.phase is None and scan != "handed_over":
        return "not_handed_over"
    if parcel.phase is Phase.RETURNED and scan == "delivered" and not parcel.delivered:
        return "already_returned"
    return None


def moves(parcel: Parcel, scan: ParcelScan) -> bool:
    """Whether a scan moves the parcel on: it is neither known nor refused."""
    return (parcel.phase, scan) in _MOVES


def moved(parcel: Parcel, scan: ParcelScan, now: dt.datetime) -> Parcel:
    """The parcel after a scan that moves it on.

    Args:
        parcel: As it is.
        scan: What was scanned, for which ``moves`` is true.
        now: The time (UTC).
    """
    phase = _MOVES[parcel.phase, scan]
    delivered = parcel.delivered or phase is Phase.DELIVERED
    return Parcel(phase, now, delivered, parcel.refused)


def refused(parcel: Parcel, scan_id: str) -> Parcel | None:
    """The parcel after a scan that cannot be right; None where nothing is to be said of it any more.

    Args:
        parcel: As it is.
        scan_id: The id of the scan's event.
    """
    if len(parcel.refused) >= MAX_REFUSED:
        return None
    return msgspec.structs.replace(parcel, refused=(*parcel.refused, scan_id))


def fact_of(scanned: ParcelScanned, shipment_id: str, customer: Customer) -> Fact:
    """The event that reports a scan that moved the parcel on."""
    order_id = scanned.order_id
    match scanned.scan:
        case "handed_over":
            return ParcelHandedOver(order_id=order_id, shipment_id=shipment_id, customer=customer)
        case "delivered":
            return ParcelDelivered(order_id=order_id, shipment_id=shipment_id, customer=customer)
        case "returned":
            return ParcelReturned(
                order_id=order_id, shipment_id=shipment_id, customer=customer, reason=scanned.reason
            )


def refusal_of(scanned: ParcelScanned, reason: str) -> ParcelScanRefused:
    """The event that reports a scan that was refused."""
    return ParcelScanRefused(order_id=scanned.order_id, scan=scanned.scan, reason=reason)
