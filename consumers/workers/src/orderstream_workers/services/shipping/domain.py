"""One order's shipment: taken or refused, once and forever.

::

             destination served
    (none) ──────────────────────> TAKEN
      │
      ├── destination not served ─> REFUSED
      ├── operator's decision ────> REFUSED
      └── shipped by hand ────────> TAKEN

Both ends are final: a command that comes again, also as a new request of a coordinator that has not received
the reply, gets the same reply as the first one, whatever the settings say by then. What happens to the parcel
of a shipment that is TAKEN stands beside it: see ``parcels``.
"""

import datetime as dt
import uuid
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from orderstream_orders.contracts import (
    Customer,
    Event,
    OrderShipped,
    ParcelHandedOver,
    ParcelScanned,
    RefuseShipment,
    ShipmentRefused,
    ShipOrder,
)
from orderstream_workers.services.shipping.parcels import (
    WAITING,
    Parcel,
    Phase,
    fact_of,
    moved,
    moves,
    refusal_of,
    refused,
    why_not,
)

BY_HAND: Final = "by-hand"
"""Id of a shipment that an operator has made past shipping."""

_SHIPMENTS: Final = uuid.UUID("0d5f0c64-6e0b-5b1b-8c39-4b7a4c1e9a53")


class Taken(msgspec.Struct, frozen=True, tag="taken"):
    """The shipment will be carried out.

    Attributes:
        shipment_id: Its id, derived from the order's; ``"by-hand"`` where an operator has shipped.
        country: Destination, as the shop writes it.
        units: Units to ship.
        customer: Whom the parcel goes to; a guest in records from before it was kept.
    """

    shipment_id: str
    country: str | None
    units: int
    customer: Customer = Customer()


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The order cannot be shipped, and never will be.

    Attributes:
        reason: ``"destination_not_served"`` or ``"operator_decision"``.
        country: Destination, as the shop writes it; None where an operator decided, too.
    """

    reason: str
    country: str | None


class Shipment(msgspec.Struct, frozen=True):
    """The record of one order's shipment.

    Attributes:
        outcome: How it was decided.
        decided_at: When (UTC): the time of each reply about it; None in records of the first days.
        scanned: The parcel, by what was scanned; None where nothing was.
    """

    outcome: Taken | Refused
    decided_at: dt.datetime | None = None
    scanned: Parcel | None = None

    @property
    def parcel(self) -> Parcel | None:
        """The parcel; None where none is shipped. What an operator has shipped has left already."""
        if isinstance(self.outcome, Refused):
            return None
        if self.scanned is not None and self.scanned.phase is not None:
            return self.scanned
        if is_by_hand(self):
            return Parcel(Phase.HANDED_OVER, self.decided_at)
        return self.scanned or WAITING


def decide(
    shipment: Shipment | None,
    command: ShipOrder | RefuseShipment,
    unserved: AbstractSet[str],
    now: dt.datetime,
) -> Shipment:
    """Take or refuse a shipment, unless that is decided already.

    Args:
        shipment: What was decided before; None where nothing was.
        command: What is asked for.
        unserved: Destinations that are not served, compared without regard to case. An order without a
            destination is taken: the shop that does not say ships inland.
        now: The time (UTC).
    """
    if shipment is not None:
        known = _addressed(shipment, command)
        return known if known.decided_at else msgspec.structs.replace(known, decided_at=now)
    if isinstance(command, RefuseShipment):
        return Shipment(Refused("operator_decision", None), now)
    country = command.country
    if country is not None and country.casefold() in {name.casefold() for name in unserved}:
        return Shipment(Refused("destination_not_served", country), now)
    shipment_id = f"sh_{uuid.uuid5(_SHIPMENTS, command.order_id)}"
    return Shipment(Taken(shipment_id, country, command.units, command.customer), now)


def _addressed(shipment: Shipment, command: ShipOrder | RefuseShipment) -> Shipment:
    """An operator who ships past shipping does not say whom to: the command does."""
    if not is_by_hand(shipment) or not isinstance(command, ShipOrder):
        return shipment
    taken = Taken(BY_HAND, command.country, command.units, command.customer)
    return msgspec.structs.replace(shipment, outcome=taken)


def by_hand(shipment: Shipment | None, now: dt.datetime) -> Shipment:
    """Apply an operator's decision that the order is shipped; an earlier decision of shipping stays.

    Args:
        shipment: What was decided before; None where nothing was.
        now: The time (UTC).
    """
    return shipment or Shipment(Taken(BY_HAND, None, 0), now)


def is_by_hand(shipment: Shipment) -> bool:
    """Whether an operator has shipped the order, and not shipping."""
    return isinstance(shipment.outcome, Taken) and shipment.outcome.shipment_id == BY_HAND


def reported_by_hand(shipment: Shipment, order_id: str) -> tuple[Shipment, ParcelHandedOver] | None:
    """What follows from an operator's word that the order is shipped: the carrier has its parcel.

    Args:
        shipment: As an operator has recorded it; anything else has a parcel of shipping's own.
        order_id: The order.

    Returns:
        The shipment afterwards and the event that says so; None where it has been said.
    """
    if shipment.scanned is not None or not isinstance(shipment.outcome, Taken) or not is_by_hand(shipment):
        return None
    after = msgspec.structs.replace(shipment, scanned=shipment.parcel)
    customer = shipment.outcome.customer
    return after, ParcelHandedOver(order_id=order_id, shipment_id=BY_HAND, customer=customer)


def scanned(
    shipment: Shipment, scan: ParcelScanned, scan_id: str, now: dt.datetime
) -> tuple[Shipment, Event] | None:
    """Apply a scan of the parcel.

    Args:
        shipment: What was decided about the order.
        scan: What was scanned.
        scan_id: The id of its event.
        now: The time (UTC).

    Returns:
        The shipment afterwards and the event that reports it; None where nothing is new.
    """
    parcel = shipment.parcel
    if scan_id in (shipment.scanned or WAITING).refused:
        return None
    reason = "not_shipped" if parcel is None else why_not(parcel, scan.scan)
    if reason is not None:
        after = refused(shipment.scanned or WAITING, scan_id)
        if after is None:
            return None
        return msgspec.structs.replace(shipment, scanned=after), refusal_of(scan, reason)
    assert parcel is not None
    assert isinstance(shipment.outcome, Taken)
    if not moves(parcel, scan.scan):
        return None
    fact = fact_of(scan, shipment.outcome.shipment_id, shipment.outcome.customer)
    return msgspec.structs.replace(shipment, scanned=moved(parcel, scan.scan, now)), fact


def reply_to(shipment: Shipment, order_id: str) -> OrderShipped | ShipmentRefused:
    """The event that reports the decision."""
    match shipment.outcome:
        case Taken(shipment_id=shipment_id):
            return OrderShipped(order_id=order_id, shipment_id=shipment_id)
        case Refused(reason=reason):
            return ShipmentRefused(order_id=order_id, reason=reason)
