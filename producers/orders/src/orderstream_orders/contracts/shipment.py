"""Shipping: its command and its replies."""

from typing import ClassVar

from orderstream.messages import register
from orderstream_orders.contracts.message import Command, Reply
from orderstream_orders.contracts.order import Customer


@register
class OrderShipped(Reply, frozen=True, kw_only=True):
    """The shipment is recorded and will be carried out.

    Attributes:
        shipment_id: Shipping's own id of it.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)

    shipment_id: str


@register
class ShipmentRefused(Reply, frozen=True, kw_only=True):
    """The order cannot be shipped, and never will be.

    Attributes:
        reason: ``"destination_not_served"``, or ``"operator_decision"``.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)

    reason: str


@register
class ShipOrder(Command, frozen=True, kw_only=True):
    """Take the order over for shipment. It is the pivot: once asked for, only a refusal undoes the order.

    Attributes:
        country: Destination, as the shop writes it; None where the shop does not say.
        units: Units to ship, over all lines that are no service.
        customer: Whom the parcel goes to; a guest in commands from before it was said.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ("shipping",)
    success: ClassVar[tuple[type[Reply], ...]] = (OrderShipped,)
    refusals: ClassVar[tuple[type[Reply], ...]] = (ShipmentRefused,)

    country: str | None
    units: int
    customer: Customer = Customer()


@register
class RefuseShipment(Command, frozen=True, kw_only=True):
    """Refuse the shipment for good, unless it was taken: the reply says which of the two it is.

    An operator's decision about an order whose shipment gets no reply. A later request for the shipment
    is refused.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ("shipping",)
    success: ClassVar[tuple[type[Reply], ...]] = (ShipmentRefused,)
    refusals: ClassVar[tuple[type[Reply], ...]] = (OrderShipped,)
