"""One order's shipment: taken or refused, once and forever.

::

             destination served
    (none) ──────────────────────> TAKEN
      │
      ├── destination not served ─> REFUSED
      ├── operator's decision ────> REFUSED
      └── shipped by hand ────────> TAKEN

Both ends are final: a command that comes again, also as a new request of a coordinator that has not received
the reply, gets the same reply as the first one, whatever the settings say by then.
"""

import datetime as dt
import uuid
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from orderstream_orders.contracts import OrderShipped, RefuseShipment, ShipmentRefused, ShipOrder

BY_HAND: Final = "by-hand"
"""Id of a shipment that an operator has made past shipping."""

_SHIPMENTS: Final = uuid.UUID("0d5f0c64-6e0b-5b1b-8c39-4b7a4c1e9a53")


class Taken(msgspec.Struct, frozen=True, tag="taken"):
    """The shipment will be carried out.

    Attributes:
        shipment_id: Its id, derived from the order's; ``"by-hand"`` where an operator has shipped.
        country: Destination, as the shop writes it.
        units: Units to ship.
    """

    shipment_id: str
    country: str | None
    units: int


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
    """

    outcome: Taken | Refused
    decided_at: dt.datetime | None = None


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
        return shipment if shipment.decided_at else Shipment(shipment.outcome, now)
    if isinstance(command, RefuseShipment):
        return Shipment(Refused("operator_decision", None), now)
    country = command.country
    if country is not None and country.casefold() in {name.casefold() for name in unserved}:
        return Shipment(Refused("destination_not_served", country), now)
    shipment_id = f"sh_{uuid.uuid5(_SHIPMENTS, command.order_id)}"
    return Shipment(Taken(shipment_id, country, command.units), now)


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


def reply_to(shipment: Shipment, order_id: str) -> OrderShipped | ShipmentRefused:
    """The event that reports the decision."""
    match shipment.outcome:
        case Taken(shipment_id=shipment_id):
            return OrderShipped(order_id=order_id, shipment_id=shipment_id)
        case Refused(reason=reason):
            return ShipmentRefused(order_id=order_id, reason=reason)
