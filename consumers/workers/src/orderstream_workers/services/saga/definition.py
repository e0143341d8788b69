"""The flow of an order, declared once: its steps, which of them run together, the pivot, how each is undone.

::

                  ┌─> reserve_stock ───┐
    OrderPlaced ──┤                    ├──> ship_order (pivot) ──> OrderConfirmed
                  └─> capture_payment ─┘
                      first group           second group

An order follows the version that it was started with to its end. A change of the flow is a new definition
with a new version beside the old one, which stays here until no open order follows it.
"""

import datetime as dt
import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from orderstream_orders.contracts import (
    CapturePayment,
    Command,
    OrderShipped,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
    ReleaseStock,
    ReserveStock,
    ShipmentRefused,
    ShipOrder,
    StockRejected,
    StockReleased,
    StockReserved,
)
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.errors import UnknownDefinitionError
from orderstream_workers.services.saga.state import Order

Success = StockReserved | PaymentCaptured | OrderShipped
Refusal = StockRejected | PaymentDeclined | ShipmentRefused
Undoing = StockReleased | PaymentRefunded
Reply = Success | Refusal | Undoing
"""What the owners of the steps say."""


class Verdict(enum.Enum):
    """What a reply says about its step."""

    DONE = "it is done"
    REFUSED = "it is not done, and never will be"
    UNDONE = "it is undone, or will never be done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the flow.

    Attributes:
        name: Names it in timers, correlation ids and reasons.
        request: The type of its request.
        command: Makes the request, given the order, the time and the deadlines.
        deadline: How long its reply may take.
        done: The reply of success.
        refused: The reply of refusal, which is final.
        compensation: The command that undoes the step, or makes sure that it never happens; None for the
            pivot, which cannot be undone.
        undone: The reply to the compensation.
        needs_lines: Whether the request names the order's lines, which are kept until it has been made.
    """

    name: str
    request: type[Command]
    command: Callable[[Order, dt.datetime, SagaDeadlines], Command]
    deadline: Callable[[SagaDeadlines], dt.timedelta]
    done: type[Success]
    refused: type[Refusal]
    compensation: type[ReleaseStock | RefundPayment] | None = None
    undone: type[Undoing] | None = None
    needs_lines: bool = False

    def verdict(self, reply: "Reply") -> Verdict | None:
        """What a reply says about this step; None where it is about another one."""
        if isinstance(reply, self.done):
            return Verdict.DONE
        if isinstance(reply, self.refused):
            return Verdict.REFUSED
        if self.undone is not None and isinstance(reply, self.undone):
            return Verdict.UNDONE
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A version of the flow. Its last step is the pivot: once it is asked for, only its refusal turns back.

    Attributes:
        version: What orders are pinned to.
        groups: The steps in order; those of one group are asked for together. The last group is the pivot
            alone, and every step before it has a compensation.
    """

    version: int
    groups: tuple[tuple[Step, ...], ...]

    def __post_init__(self) -> None:
        """Check what the transitions rest on."""
        *before, last = self.groups
        if len(last) != 1 or any(step.compensation is None for group in before for step in group):
            raise ValueError("the pivot is alone at the end, and every step before it can be undone")

    @property
    def pivot(self) -> Step:
        """The step after which the flow only goes forward."""
        return self.groups[-1][0]

    def steps(self) -> Iterator[Step]:
        """All steps, the first group first."""
        for group in self.groups:
            yield from group

    def verdict_of(self, reply: Reply) -> tuple[Step, Verdict] | None:
        """Which step a reply is about, and what it says; None where no step of this version knows it."""
        for step in self.steps():
            verdict = step.verdict(reply)
            if verdict is not None:
                return step, verdict
        return None


def _reserve_stock(order: Order, _now: dt.datetime, _deadlines: SagaDeadlines) -> Command:
    return ReserveStock(order_id=order.order_id, lines=order.lines)


def _capture_payment(order: Order, now: dt.datetime, deadlines: SagaDeadlines) -> Command:
    return CapturePayment(
        order_id=order.order_id,
        amount_minor=order.total_minor,
        currency=order.currency,
        not_after=now + deadlines.payment_not_after,
    )


def _ship_order(order: Order, _now: dt.datetime, _deadlines: SagaDeadlines) -> Command:
    return ShipOrder(
        order_id=order.order_id, country=order.country, units=order.units, customer=order.customer
    )


RESERVE_STOCK: Final = Step(
    name="reserve_stock",
    request=ReserveStock,
    command=_reserve_stock,
    deadline=lambda deadlines: deadlines.reserve_stock,
    done=StockReserved,
    refused=StockRejected,
    compensation=ReleaseStock,
    undone=StockReleased,
    needs_lines=True,
)
CAPTURE_PAYMENT: Final = Step(
    name="capture_payment",
    request=CapturePayment,
    command=_capture_payment,
    deadline=lambda deadlines: deadlines.capture_payment,
    done=PaymentCaptured,
    refused=PaymentDeclined,
    compensation=RefundPayment,
    undone=PaymentRefunded,
)
SHIP_ORDER: Final = Step(
    name="ship_order",
    request=ShipOrder,
    command=_ship_order,
    deadline=lambda deadlines: deadlines.ship_order,
    done=OrderShipped,
    refused=ShipmentRefused,
)

CURRENT: Final = Definition(version=1, groups=((RESERVE_STOCK, CAPTURE_PAYMENT), (SHIP_ORDER,)))
"""What new orders follow."""

_BY_VERSION: Final = {definition.version: definition for definition in (CURRENT,)}


def step_names() -> tuple[str, ...]:
    """The names of every step that an open order can wait for, those of older versions included."""
    steps = (step.name for definition in _BY_VERSION.values() for step in definition.steps())
    return tuple(dict.fromkeys(steps))


def definition_of(version: int) -> Definition:
    """The definition that an order is pinned to.

    Raises:
        UnknownDefinitionError: it was started by a newer program.
    """
    try:
        return _BY_VERSION[version]
    except KeyError as error:
        raise UnknownDefinitionError(version) from error
