"""The order's own messages: what the customer asked for, and how it ended."""

from typing import ClassVar, Final, Literal

import msgspec

from orderstream.messages import register
from orderstream_orders.contracts.message import Event

CANCELLATION_REASONS: Final[tuple[str, ...]] = (
    "out_of_stock",
    "unknown_sku",
    "released",
    "card_declined",
    "expired",
    "refunded",
    "destination_not_served",
    "operator_decision",
    "step_overdue",
    "customer_request",
)
"""Why orders are cancelled: what the owners of the steps refuse by, and the coordinator's own reasons."""


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an order.

    Attributes:
        sku: Stock keeping unit, or the code of a service such as postage; upper case.
        quantity: Units ordered, at least 1.
        unit_price: Price of one unit in major units, as a decimal string (``"2.55"``); it may be finer than a
            minor unit.
        total_minor: ``quantity * unit_price`` rounded half-even to minor units.
        service: True where nothing is taken from stock: the line is charged and not reserved.
        description: What the shop calls it, if it says.
    """

    sku: str
    quantity: int
    unit_price: str
    total_minor: int
    service: bool = False
    description: str | None = None


class Customer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who ordered. A guest has neither id nor address.

    Attributes:
        customer_id: The shop's id of the customer.
        email: Where the outcome is sent.
    """

    customer_id: str | None = None
    email: str | None = None


@register
class OrderPlaced(Event, frozen=True, kw_only=True):
    """A customer placed an order, and it was accepted for processing.

    Attributes:
        customer: Who ordered.
        country: Where it is shipped to, as the shop writes it.
        lines: At least one line. The orders API takes 2,000 at most, and 262,144 bytes of the whole data: the
            lines of a larger order may fit no item of DynamoDB, and its reservation is a dead letter.
        total_minor: Sum of the lines' totals, in minor units; above 0.
        currency: ISO 4217 code.
        placed_by: The caller of the orders API, as logs name it: 16 hexadecimal digits. None where callers
            are not distinguished, and in orders from before it was kept.
    """

    owner: ClassVar[str] = "orders"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)
    outside: ClassVar[bool] = True

    customer: Customer
    country: str | None
    lines: tuple[OrderLine, ...]
    total_minor: int
    currency: str
    placed_by: str | None = None


@register
class OrderCancellationRequested(Event, frozen=True, kw_only=True):
    """The customer asked to cancel. It is honoured until shipping has been asked for."""

    owner: ClassVar[str] = "orders"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)
    outside: ClassVar[bool] = True


@register
class OrderCancellationRefused(Event, frozen=True, kw_only=True):
    """The cancellation came too late: the order is being shipped, or has already ended.

    Attributes:
        reason: Why, e.g. ``"shipping_requested"``, ``"already_confirmed"``, ``"already_cancelled"``.
    """

    owner: ClassVar[str] = "saga"
    consumers: ClassVar[tuple[str, ...]] = ()

    reason: str


@register
class OrderConfirmed(Event, frozen=True, kw_only=True):
    """Terminal: stock is reserved, the payment captured, the shipment taken. Reserved stock becomes sold.

    Attributes:
        customer: The customer to notify.
        total_minor: What was charged, in minor units.
        currency: ISO 4217 code.
    """

    owner: ClassVar[str] = "saga"
    consumers: ClassVar[tuple[str, ...]] = ("inventory", "notifications")

    customer: Customer
    total_minor: int
    currency: str


@register
class OrderCancelled(Event, frozen=True, kw_only=True):
    """Terminal: every step that was asked for is undone. Nothing is reserved, nothing stays charged.

    Attributes:
        customer: The customer to notify.
        reason: The first cause, e.g. ``"out_of_stock"``, ``"card_declined"``, ``"customer_request"``,
            ``"step_overdue"``, ``"destination_not_served"``.
        failed_step: The step that caused it; None for the customer's own request.
    """

    owner: ClassVar[str] = "saga"
    consumers: ClassVar[tuple[str, ...]] = ("notifications",)

    customer: Customer
    reason: str
    failed_step: str | None = None


@register
class StepOverdue(Event, frozen=True, kw_only=True):
    """A step has not replied by its deadline. The coordinator decides, in stream order, what that means.

    Attributes:
        step: The step that is late.
        attempt: Which request of the step it is about, counted from 1.
    """

    owner: ClassVar[str] = "saga"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)
    outside: ClassVar[bool] = True

    step: str
    attempt: int


@register
class StepResolved(Event, frozen=True, kw_only=True):
    """An operator decided about a step that was asked for more than once and does not reply.

    Attributes:
        step: The step.
        attempt: Which request of it the operator saw without a reply, counted from 1.
        decision: ``"done"``: what was asked for was done by hand, so that its owner does it no more.
            ``"refuse"``: the shipment shall be refused for good, which shipping alone can say.
        operator: Who decided.
        reason: Why, in their words.
    """

    owner: ClassVar[str] = "operators"
    consumers: ClassVar[tuple[str, ...]] = ("saga", "inventory", "payments", "shipping")
    outside: ClassVar[bool] = True

    step: str
    attempt: int
    decision: Literal["done", "refuse"]
    operator: str
    reason: str
