"""Money: commands to payments and its replies."""

import datetime as dt
from typing import ClassVar

from orderstream.messages import register
from orderstream_orders.contracts.message import Command, Reply


@register
class PaymentCaptured(Reply, frozen=True, kw_only=True):
    """The customer was charged.

    Attributes:
        amount_minor: Minor units.
        currency: ISO 4217 code.
        charge_id: The provider's own id of the charge.
    """

    owner: ClassVar[str] = "payments"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)

    amount_minor: int
    currency: str
    charge_id: str


@register
class PaymentDeclined(Reply, frozen=True, kw_only=True):
    """The customer was not charged, and never will be for this order.

    Attributes:
        reason: ``"card_declined"``, ``"expired"`` (too late to charge), ``"refunded"`` (a refund came first).
    """

    owner: ClassVar[str] = "payments"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)

    reason: str


@register
class PaymentRefunded(Reply, frozen=True, kw_only=True):
    """The order's charges net to zero, and stay so.

    Attributes:
        amount_minor: What was given back, in minor units; 0 where nothing had been charged.
        currency: ISO 4217 code; None where nothing had been charged.
        refund_id: The provider's own id of the refund; None where nothing had been charged.
    """

    owner: ClassVar[str] = "payments"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)

    amount_minor: int
    currency: str | None = None
    refund_id: str | None = None


@register
class CapturePayment(Command, frozen=True, kw_only=True):
    """Charge the order's total once.

    Attributes:
        amount_minor: Minor units, above 0.
        currency: ISO 4217 code.
        not_after: Not charged after this time (UTC): the reply is then PaymentDeclined (``"expired"``). A
            command that reaches the stream later than its envelope's ``time`` has as much longer.
    """

    owner: ClassVar[str] = "payments"
    consumers: ClassVar[tuple[str, ...]] = ("payments",)
    success: ClassVar[tuple[type[Reply], ...]] = (PaymentCaptured,)
    refusals: ClassVar[tuple[type[Reply], ...]] = (PaymentDeclined,)

    amount_minor: int
    currency: str
    not_after: dt.datetime

    def __post_init__(self) -> None:
        """Refuse a time that could not be compared with another one."""
        if self.not_after.tzinfo is None:
            raise ValueError("not_after has no zone")


@register
class RefundPayment(Command, frozen=True, kw_only=True):
    """Give back whatever was charged, or make sure that nothing ever is. Final."""

    owner: ClassVar[str] = "payments"
    consumers: ClassVar[tuple[str, ...]] = ("payments",)
    success: ClassVar[tuple[type[Reply], ...]] = (PaymentRefunded,)
