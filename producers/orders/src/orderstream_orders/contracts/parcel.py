"""Parcels: what people and the carrier scan once the shipment was taken, and what shipping makes of it."""

from typing import ClassVar, Literal

from orderstream.messages import register
from orderstream_orders.contracts.message import Event
from orderstream_orders.contracts.order import Customer

ParcelScan = Literal["handed_over", "delivered", "returned"]
"""What a scan says of a parcel: the carrier has it, the customer has it, or it has come back."""


@register
class ParcelScanned(Event, frozen=True, kw_only=True):
    """A person or the carrier scanned an order's parcel. It opens a conversation; shipping decides on it.

    A parcel is scanned more than once, late, and in the wrong order: a scan is what was seen, and no fact.

    Attributes:
        scan: What it says.
        operator: Who scanned it: a person, or the carrier's name.
        reason: Why it has come back, in their words; None where there is nothing to say.
    """

    owner: ClassVar[str] = "operators"
    consumers: ClassVar[tuple[str, ...]] = ("shipping",)
    outside: ClassVar[bool] = True

    scan: ParcelScan
    operator: str
    reason: str | None = None


@register
class ParcelHandedOver(Event, frozen=True, kw_only=True):
    """The carrier has the order's parcel. An order has one parcel, which is handed over once.

    Attributes:
        shipment_id: Shipping's own id of the shipment; ``"by-hand"`` where an operator shipped past shipping.
        customer: Whom it goes to, to be notified; a guest where shipping does not know.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ("notifications",)

    shipment_id: str
    customer: Customer


@register
class ParcelDelivered(Event, frozen=True, kw_only=True):
    """The customer has the order's parcel.

    Attributes:
        shipment_id: Shipping's own id of the shipment.
        customer: Who has it, to be notified; a guest where shipping does not know.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ("notifications",)

    shipment_id: str
    customer: Customer


@register
class ParcelReturned(Event, frozen=True, kw_only=True):
    """The order's parcel has come back, delivered before or not. Final.

    Attributes:
        shipment_id: Shipping's own id of the shipment.
        customer: Whom it had gone to, to be notified; a guest where shipping does not know.
        reason: Why, in the words of who scanned it; None where they did not say.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ("notifications",)

    shipment_id: str
    customer: Customer
    reason: str | None = None


@register
class ParcelScanRefused(Event, frozen=True, kw_only=True):
    """A scan cannot be right, and changed nothing: a return of what never left, a delivery after the return.

    Attributes:
        scan: What was scanned.
        reason: ``"not_shipped"`` (shipping has refused the order), ``"not_handed_over"``, or
            ``"already_returned"``.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ()

    scan: ParcelScan
    reason: str
