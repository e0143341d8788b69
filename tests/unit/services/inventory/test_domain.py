"""The reservation's state machine, as a table: every phase against every request."""

import datetime as dt

import pytest

from orderstream_orders.contracts import (
    Customer,
    OrderConfirmed,
    ReleaseStock,
    ReserveStock,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
    StockSold,
)
from orderstream_workers.services.inventory.domain import (
    Movement,
    Phase,
    Refusal,
    Request,
    Reservation,
    Step,
    next_step,
    normalized,
    refuse,
)
from orderstream_workers.services.inventory.errors import InvalidStockLinesError

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
LINES = tuple(StockLine(sku=f"{index:05}", quantity=1) for index in range(10))
RESERVE = ReserveStock(order_id="o-1", lines=LINES)
RELEASE = ReleaseStock(order_id="o-1")
CONFIRMED = OrderConfirmed(order_id="o-1", customer=Customer(), total_minor=1, currency="GBP")
SOLD_OUT = Refusal("out_of_stock", "00007")

RESERVED_REPLY = StockReserved(order_id="o-1")
RELEASED_REPLY = StockReleased(order_id="o-1")
SOLD_REPLY = StockSold(order_id="o-1")
REFUSED_REPLY = StockRejected(order_id="o-1", reason="out_of_stock", sku="00007")
TOO_LATE_REPLY = StockRejected(order_id="o-1", reason="released")


def at(
    phase: Phase, held: int, refusal: Refusal | None = None, lines: int = 10, *, reserved: bool = False
) -> Reservation:
    """A header; what is reserved or beyond knows that it was."""
    reserved = reserved or phase in {Phase.RESERVED, Phase.COMMITTING, Phase.SOLD}
    return Reservation(phase, lines, held, refusal, reserved)


def holding(first: int, last: int, *, ends: bool = False) -> Step:
    phase = Phase.RESERVED if ends else Phase.RESERVING
    reply = RESERVED_REPLY if ends else None
    return Step(at(phase, last), Movement.HOLD, range(first, last), reply)


TABLE = [
    (None, RESERVE, holding(0, 4)),
    (at(Phase.RESERVING, 4), RESERVE, holding(4, 8)),
    (at(Phase.RESERVING, 8), RESERVE, holding(8, 10, ends=True)),
    (at(Phase.RESERVED, 10), RESERVE, Step(at(Phase.RESERVED, 10), reply=RESERVED_REPLY)),
    (at(Phase.COMMITTING, 6), RESERVE, Step(at(Phase.COMMITTING, 6), reply=RESERVED_REPLY)),
    (at(Phase.SOLD, 0), RESERVE, Step(at(Phase.SOLD, 0), reply=RESERVED_REPLY)),
    (
        at(Phase.RELEASING, 6, SOLD_OUT),
        RESERVE,
        Step(at(Phase.RELEASING, 2, SOLD_OUT), Movement.GIVE_BACK, range(2, 6)),
    ),
    (
        at(Phase.RELEASING, 2, SOLD_OUT),
        RESERVE,
        Step(at(Phase.REJECTED, 0, SOLD_OUT), Movement.GIVE_BACK, range(2), REFUSED_REPLY),
    ),
    (
        at(Phase.RELEASING, 2),
        RESERVE,
        Step(at(Phase.RELEASED, 0), Movement.GIVE_BACK, range(2), TOO_LATE_REPLY),
    ),
    (
        at(Phase.REJECTED, 0, SOLD_OUT),
        RESERVE,
        Step(at(Phase.REJECTED, 0, SOLD_OUT), Movement.GIVE_BACK, range(0), REFUSED_REPLY),
    ),
    (
        at(Phase.RELEASED, 0, lines=0),
        RESERVE,
        Step(at(Phase.RELEASED, 0, lines=0), Movement.GIVE_BACK, range(0), TOO_LATE_REPLY),
    ),
    (
        None,
        RELEASE,
        Step(at(Phase.RELEASED, 0, lines=0), Movement.GIVE_BACK, range(0), RELEASED_REPLY),
    ),
    (at(Phase.RESERVING, 4), RELEASE, Step(at(Phase.RELEASING, 4))),
    (
        at(Phase.RESERVED, 10),
        RELEASE,
        Step(at(Phase.RELEASING, 6, reserved=True), Movement.GIVE_BACK, range(6, 10)),
    ),
    (
        at(Phase.RELEASING, 6, reserved=True),
        RESERVE,
        Step(at(Phase.RELEASING, 6, reserved=True), reply=RESERVED_REPLY),
    ),
    (
        at(Phase.RELEASED, 0, reserved=True),
        RESERVE,
        Step(at(Phase.RELEASED, 0, reserved=True), reply=RESERVED_REPLY),
    ),
    (
        at(Phase.RELEASED, 0, reserved=True),
        RELEASE,
        Step(at(Phase.RELEASED, 0, reserved=True), Movement.GIVE_BACK, range(0), RELEASED_REPLY),
    ),
    (
        at(Phase.RESERVED, 3, lines=3),
        RELEASE,
        Step(at(Phase.RELEASED, 0, lines=3, reserved=True), Movement.GIVE_BACK, range(3), RELEASED_REPLY),
    ),
    (at(Phase.RELEASING, 6), RELEASE, Step(at(Phase.RELEASING, 2), Movement.GIVE_BACK, range(2, 6))),
    (
        at(Phase.RELEASING, 2, SOLD_OUT),
        RELEASE,
        Step(at(Phase.REJECTED, 0, SOLD_OUT), Movement.GIVE_BACK, range(2), RELEASED_REPLY),
    ),
    (
        at(Phase.REJECTED, 0, SOLD_OUT),
        RELEASE,
        Step(at(Phase.REJECTED, 0, SOLD_OUT), Movement.GIVE_BACK, range(0), RELEASED_REPLY),
    ),
    (
        at(Phase.RELEASED, 0),
        RELEASE,
        Step(at(Phase.RELEASED, 0), Movement.GIVE_BACK, range(0), RELEASED_REPLY),
    ),
    (at(Phase.COMMITTING, 6), RELEASE, None),
    (at(Phase.SOLD, 0), RELEASE, None),
    (None, CONFIRMED, None),
    (at(Phase.RESERVING, 4), CONFIRMED, None),
    (at(Phase.RESERVED, 10), CONFIRMED, Step(at(Phase.COMMITTING, 6), Movement.SELL, range(6, 10))),
    (at(Phase.COMMITTING, 6), CONFIRMED, Step(at(Phase.COMMITTING, 2), Movement.SELL, range(2, 6))),
    (at(Phase.COMMITTING, 2), CONFIRMED, Step(at(Phase.SOLD, 0), Movement.SELL, range(2), SOLD_REPLY)),
    (at(Phase.SOLD, 0), CONFIRMED, Step(at(Phase.SOLD, 0), reply=SOLD_REPLY)),
    (at(Phase.RELEASING, 4), CONFIRMED, None),
    (at(Phase.REJECTED, 0, SOLD_OUT), CONFIRMED, None),
    (at(Phase.RELEASED, 0), CONFIRMED, None),
]


@pytest.mark.parametrize(("state", "request_", "expected"), TABLE)
def test_every_phase_has_one_reply_to_every_request(
    state: Reservation | None, request_: Request, expected: Step | None
) -> None:
    """The transition function is total, and its table is this one (chunks of 4 lines)."""
    assert next_step(state, request_, line_count=10, chunk=4) == expected


def test_an_order_of_services_only_is_reserved_and_sold_without_moving_a_unit() -> None:
    """Empty lines reserve trivially, and the order's stock is sold all the same."""
    reserved = next_step(None, RESERVE, line_count=0, chunk=25)
    assert reserved == Step(at(Phase.RESERVED, 0, lines=0), Movement.HOLD, range(0), RESERVED_REPLY)
    sold = next_step(reserved.state, CONFIRMED, line_count=0, chunk=25)
    assert sold == Step(at(Phase.SOLD, 0, lines=0), Movement.SELL, range(0), SOLD_REPLY)


def test_a_refusal_gives_back_what_is_held() -> None:
    """With lines already held a refusal turns the reservation around, and answers only when all is back."""
    assert refuse(at(Phase.RESERVING, 4), RESERVE, SOLD_OUT, 10) == Step(at(Phase.RELEASING, 4, SOLD_OUT))


def test_a_refusal_with_nothing_held_is_final_at_once() -> None:
    """With nothing held a refusal needs no way back."""
    expected = Step(at(Phase.REJECTED, 0, SOLD_OUT), reply=REFUSED_REPLY)
    assert refuse(None, RESERVE, SOLD_OUT, 10) == expected


def test_lines_are_taken_in_sku_order_one_per_sku() -> None:
    """Whoever wrote the command: lines are sorted, and those of one SKU added up."""
    lines = (StockLine(sku="B", quantity=1), StockLine(sku="A", quantity=2), StockLine(sku="B", quantity=3))
    assert normalized(lines) == (StockLine(sku="A", quantity=2), StockLine(sku="B", quantity=4))


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_line_below_one_unit_is_no_line(quantity: int) -> None:
    """A negative reservation would make stock out of nothing: the command is not carried out."""
    with pytest.raises(InvalidStockLinesError, match="at least 1"):
        normalized((StockLine(sku="A", quantity=quantity),))
