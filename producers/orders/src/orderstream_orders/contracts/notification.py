"""The event about a customer's notification."""

from typing import ClassVar, Literal

from orderstream.messages import register
from orderstream_orders.contracts.message import Event


@register
class CustomerNotified(Event, frozen=True, kw_only=True):
    """The customer was notified of an outcome, or has no address.

    Attributes:
        about: The type of the event that it reports, e.g. ``"OrderConfirmed"``.
        outcome: ``"sent"``, or ``"no_address"`` for a guest.
    """

    owner: ClassVar[str] = "notifications"
    consumers: ClassVar[tuple[str, ...]] = ()

    about: str
    outcome: Literal["sent", "no_address"]
