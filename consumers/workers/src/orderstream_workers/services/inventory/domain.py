"""One order's reservation: all of its lines or none, moved chunk by chunk, so that the stock always balances.

::

    (none) ──ReserveStock──> RESERVING ──all held──> RESERVED ──OrderConfirmed──> COMMITTING ──> SOLD
      │                      │       │                   │
      │               line refused   └───ReleaseStock────┤
      │                      v                           v
      │                  RELEASING(refusal)          RELEASING
      │                      │ all given back            │ all given back
      │                      v                           v
      │                  REJECTED                    RELEASED
      └───────────────────ReleaseStock───────────────────^

A reservation's lines are sorted by SKU and never change. The first ``held`` of them are reserved in stock,
in every phase; that is the invariant on which the balance rests: the units reserved of a SKU are the sum
over all orders of their first ``held`` lines. RESERVING raises ``held`` to the number of lines, RELEASING
and COMMITTING lower it to 0.

Once RESERVED, the reply stays that of RESERVED: a ``ReserveStock`` that arrives again after the release, by a
worker that has forgotten it, gets the reply that it had. So does a confirmation of what is sold.

REJECTED, RELEASED and SOLD are final. A release that finds nothing leaves RELEASED behind forever, so that
a command which it overtook is refused. Every step is a pure function of the state and the message: a process
that works on the order (a redelivery, a duplicate, a worker that no longer owns the shard) takes the same
next step, and the conditional commit lets one of them through.
"""

import enum
from dataclasses import dataclass

import msgspec

from orderstream_orders.contracts import (
    OrderConfirmed,
    ReleaseStock,
    Reply,
    ReserveStock,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
    StockSold,
)
from orderstream_workers.services.inventory.errors import InvalidStockLinesError

Request = ReserveStock | ReleaseStock | OrderConfirmed
"""What inventory acts on."""


class Phase(enum.StrEnum):
    """The phase of a reservation; see the module's diagram."""

    RESERVING = "reserving"
    RESERVED = "reserved"
    RELEASING = "releasing"
    REJECTED = "rejected"
    RELEASED = "released"
    COMMITTING = "committing"
    SOLD = "sold"


class Refusal(msgspec.Struct, frozen=True):
    """Why nothing could be reserved.

    Attributes:
        reason: ``"out_of_stock"`` or ``"unknown_sku"``.
        sku: The first SKU that could not be reserved.
    """

    reason: str
    sku: str


class Reservation(msgspec.Struct, frozen=True):
    """The header of one order's reservation.

    Attributes:
        phase: Its phase.
        lines: How many lines the order has; 0 where a release came first.
        held: How many of them, from the front, are reserved in stock right now.
        refusal: Why it is refused, in REJECTED and on the way there.
        reserved: True once all lines were held, whatever was given back or sold since.
    """

    phase: Phase
    lines: int
    held: int
    refusal: Refusal | None = None
    reserved: bool = False

    @property
    def was_reserved(self) -> bool:
        """Whether all lines are held, or ever were; the phase says so of headers older than the flag."""
        return self.reserved or self.phase in {Phase.RESERVED, Phase.COMMITTING, Phase.SOLD}


class Movement(enum.Enum):
    """What a step does with the units of its lines."""

    HOLD = "available to reserved"
    GIVE_BACK = "reserved to available"
    SELL = "reserved to sold"


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to commit, in one transaction.

    Attributes:
        state: The header afterwards.
        movement: What happens to the units of ``moved``; None where only the header changes.
        moved: The indexes of the lines that move, an empty range without a movement.
        reply: What ends the request: the reply to a command, or what follows from the order's confirmation;
            None while there is more to do.
    """

    state: Reservation
    movement: Movement | None = None
    moved: range = range(0)
    reply: Reply | StockSold | None = None


def normalized(lines: tuple[StockLine, ...]) -> tuple[StockLine, ...]:
    """Lines in the one order in which every order's lines are taken: one per SKU, sorted by SKU.

    Raises:
        InvalidStockLinesError: a quantity is below 1.
    """
    units: dict[str, int] = {}
    for line in lines:
        if line.quantity < 1:
            raise InvalidStockLinesError(line.sku, line.quantity)
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return tuple(StockLine(sku=sku, quantity=quantity) for sku, quantity in sorted(units.items()))


def next_step(state: Reservation | None, request: Request, line_count: int, chunk: int) -> Step | None:
    """What to commit next for a request.

    Args:
        state: The header as it is, None where the order is not known.
        request: The message that is being handled.
        line_count: How many lines the request asks for, where it is the first one to arrive.
        chunk: How many lines may move in one step, at least 1.

    Returns:
        The step, or None where the request breaks the flow's rules: a release of sold stock, a confirmation
        of what is not reserved. Operators should be alerted.
    """
    match request:
        case ReserveStock():
            return _reserve(state or Reservation(Phase.RESERVING, line_count, 0), request, chunk)
        case ReleaseStock():
            return _release(state or Reservation(Phase.RELEASED, 0, 0), request, chunk)
        case OrderConfirmed():
            return _sell(state, request, chunk)


def refuse(state: Reservation | None, request: ReserveStock, refusal: Refusal, line_count: int) -> Step:
    """The step that turns a reservation back because one of its lines could not be held.

    Args:
        state: The header as it is, RESERVING or None.
        request: The command that is refused.
        refusal: Why.
        line_count: How many lines the command asks for, where the order is not known yet.
    """
    held = state.held if state else 0
    lines = state.lines if state else line_count
    if held:
        return Step(Reservation(Phase.RELEASING, lines, held, refusal))
    return Step(Reservation(Phase.REJECTED, lines, 0, refusal), reply=_rejected(request.order_id, refusal))


def released_by_hand(state: Reservation | None) -> Reservation | None:
    """The header once an operator has given back whatever the order had reserved, units and all.

    Args:
        state: The header as it is, None where the order is not known.

    Returns:
        The header, or None where nothing is left to give back, or the units are sold.
    """
    if state is None:
        return Reservation(Phase.RELEASED, 0, 0)
    if state.phase not in {Phase.RESERVING, Phase.RESERVED, Phase.RELEASING}:
        return None
    end = Phase.REJECTED if state.refusal else Phase.RELEASED
    return Reservation(end, state.lines, 0, state.refusal, state.was_reserved)


def _reserve(state: Reservation, request: ReserveStock, chunk: int) -> Step:
    if state.was_reserved:
        return Step(state, reply=StockReserved(order_id=request.order_id))
    match state.phase:
        case Phase.RESERVING:
            held = min(state.lines, state.held + chunk)
            done = held == state.lines
            return Step(
                Reservation(Phase.RESERVED if done else Phase.RESERVING, state.lines, held, reserved=done),
                Movement.HOLD,
                range(state.held, held),
                StockReserved(order_id=request.order_id) if done else None,
            )
        case _:
            return _give_back(state, chunk, _rejected(request.order_id, state.refusal))


def _release(state: Reservation, request: ReleaseStock, chunk: int) -> Step | None:
    reply = StockReleased(order_id=request.order_id)
    match state.phase:
        case Phase.RESERVING if state.held:
            # Alone, so that it does not contend for stock: a reservation under way is stopped at once.
            return Step(Reservation(Phase.RELEASING, state.lines, state.held))
        case Phase.COMMITTING | Phase.SOLD:
            return None
        case _:
            return _give_back(state, chunk, reply)


def _sell(state: Reservation | None, request: OrderConfirmed, chunk: int) -> Step | None:
    if state is not None and state.phase is Phase.SOLD:
        return Step(state, reply=StockSold(order_id=request.order_id))
    if state is None or state.phase not in {Phase.RESERVED, Phase.COMMITTING}:
        return None
    held = max(0, state.held - chunk)
    return Step(
        Reservation(Phase.COMMITTING if held else Phase.SOLD, state.lines, held, reserved=True),
        Movement.SELL,
        range(held, state.held),
        None if held else StockSold(order_id=request.order_id),
    )


def _give_back(state: Reservation, chunk: int, reply: Reply) -> Step:
    """Lower ``held`` by a chunk, to the end that the state is bound for; the last step replies."""
    held = max(0, state.held - chunk)
    end = Phase.REJECTED if state.refusal else Phase.RELEASED
    return Step(
        Reservation(Phase.RELEASING if held else end, state.lines, held, state.refusal, state.was_reserved),
        Movement.GIVE_BACK,
        range(held, state.held),
        None if held else reply,
    )


def _rejected(order_id: str, refusal: Refusal | None) -> StockRejected:
    if refusal is None:
        return StockRejected(order_id=order_id, reason="released")
    return StockRejected(order_id=order_id, reason=refusal.reason, sku=refusal.sku)
