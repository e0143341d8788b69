"""What the coordinator remembers of an order."""

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from orderstream_orders.contracts import Customer, OrderPlaced, StockLine

REARMED_LATER: Final = dt.timedelta(seconds=30)
"""How much later a deadline comes up again each time that it was called too early."""


class Phase(enum.StrEnum):
    """The phase of an order; see the diagram of the domain."""

    RUNNING = "running"
    COMMITTED = "committed"
    COMPENSATING = "compensating"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """True where nothing can change any more."""
        return self in {Phase.CONFIRMED, Phase.CANCELLED}


class Status(enum.StrEnum):
    """The status of a step."""

    NONE = "none"
    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"
    CANCELLING = "cancelling"
    UNDONE = "undone"

    @property
    def awaited(self) -> bool:
        """True while a reply is waited for."""
        return self in {Status.REQUESTED, Status.CANCELLING}


class Progress(msgspec.Struct, frozen=True):
    """How far a step is.

    Attributes:
        status: Its status.
        attempt: How often the step or its compensation was asked for, which numbers the last request; from 1.
        due: When the last request's reply is overdue (UTC); None before the first.
        done: True once its owner has said that it is done, whatever has been undone since.
        rearmed: How often its timer was restarted, for one of two reasons: its deadline was called too
            early, by a host whose clock runs ahead, or the last request went out again.
        extended: How often that was for the second reason.
    """

    status: Status = Status.NONE
    attempt: int = 0
    due: dt.datetime | None = None
    done: bool = False
    rearmed: int = 0
    extended: int = 0

    @property
    def was_done(self) -> bool:
        """Whether it is done, or ever was; the status says so of orders older than the flag."""
        return self.done or self.status is Status.DONE


class Failure(msgspec.Struct, frozen=True):
    """Why an order is cancelled: the first cause, whatever follows from it.

    Attributes:
        reason: As the step's owner says it, or ``"step_overdue"``, or ``"customer_request"``.
        step: The step that failed; None for the customer's own request.
    """

    reason: str
    step: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the commands and the outcome have to say about the order.

    Attributes:
        order_id: The order.
        customer: Who ordered.
        country: Destination, as the shop writes it.
        units: Units to ship, over all lines that are no service.
        total_minor: What is charged, in minor units.
        currency: ISO 4217 code.
        lines: The units of each SKU, sorted by SKU. Dropped once they have been asked for: stock is asked for
            once, and hundreds of lines would weigh on every later write.
        placed_at: When the stream took the order (UTC); None of one that an earlier version took up.
        line_count: How many lines there were; None of one that an earlier version took up.
    """

    order_id: str
    customer: Customer
    country: str | None
    units: int
    total_minor: int
    currency: str
    lines: tuple[StockLine, ...] = ()
    placed_at: dt.datetime | None = None
    line_count: int | None = None

    @classmethod
    def from_placed(cls, placed: OrderPlaced, placed_at: dt.datetime | None = None) -> "Order":
        """Take over what was ordered: services are charged and not reserved, repeated SKUs are added up."""
        units: dict[str, int] = {}
        for line in placed.lines:
            if not line.service:
                units[line.sku] = units.get(line.sku, 0) + line.quantity
        return cls(
            order_id=placed.order_id,
            customer=placed.customer,
            country=placed.country,
            units=sum(units.values()),
            total_minor=placed.total_minor,
            currency=placed.currency,
            lines=tuple(StockLine(sku=sku, quantity=quantity) for sku, quantity in sorted(units.items())),
            placed_at=placed_at,
            line_count=len(units),
        )


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline that is running.

    Attributes:
        step: The step whose reply is waited for.
        attempt: Which request of it.
        due: When the reply is overdue (UTC); later, if the deadline was called too early.
        rearmed: How often it was restarted, which names each start.
    """

    step: str
    attempt: int
    due: dt.datetime
    rearmed: int = 0


class Saga(msgspec.Struct, frozen=True, kw_only=True):
    """One order on its way.

    Attributes:
        order: What it is about.
        definition: The version of the flow that it follows to its end.
        phase: Its phase.
        steps: Progress of each step that was asked for.
        failure: Why it is cancelled; None while it is not.
    """

    order: Order
    definition: int
    phase: Phase
    steps: Mapping[str, Progress] = {}
    failure: Failure | None = None

    def step(self, name: str) -> Progress:
        """The progress of a step, also of one that was not asked for yet."""
        return self.steps.get(name, Progress())

    def asked_again(self, name: str) -> bool:
        """True if a reply is awaited that was overdue before: only then is the same request made twice."""
        progress = self.step(name)
        # A compensation follows the one request of its step, and attempts count on.
        first = 2 if progress.status is Status.CANCELLING else 1
        return progress.status.awaited and progress.attempt > first

    def timers(self) -> Iterator[Timer]:
        """The deadlines that are running: one for each step whose reply is waited for."""
        for name, progress in self.steps.items():
            if progress.due is not None and progress.status.awaited:
                later = (progress.rearmed - progress.extended) * REARMED_LATER
                yield Timer(name, progress.attempt, progress.due + later, progress.rearmed)
