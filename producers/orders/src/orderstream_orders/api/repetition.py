"""Whether a request is one that was taken before, whatever today's rules say of it.

Rules get stricter from version to version, and a caller repeats what another version has taken: across an
upgrade, or between two processes while one is rolled out. What was taken stays taken, with the event that it
had then. The event is stored with the request; version 1 remembered a digest only, so its orders are
priced once more as version 1 did.
"""

import hashlib
from decimal import Decimal
from typing import Final

import msgspec

from orderstream.messages import Envelope, NotAnEventError, decode_envelope, initial
from orderstream_orders.api.idempotency import Accepted
from orderstream_orders.api.money import line_total
from orderstream_orders.api.requests import OrderRequest
from orderstream_orders.contracts import Customer, OrderLine, OrderPlaced
from orderstream_orders.currency import minor_digits

_STOCK_DIGITS: Final = 5
_USUAL_DIGITS: Final = 2


class AskedCustomer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who ordered, under the rules of any version."""

    customer_id: str | None = None
    email: str | None = None


class AskedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line, under the rules of any version."""

    sku: str
    quantity: int
    unit_price: str
    description: str | None = None
    service: bool = False


class AskedOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A body of ``POST /orders`` under the rules of any version: an ``OrderRequest`` without bounds."""

    lines: tuple[AskedLine, ...]
    currency: str
    customer: AskedCustomer | None = None
    country: str | None = None


def digest_of(request: OrderRequest | AskedOrder) -> str:
    """SHA-256 of what was asked for, the same in every version.

    White space and the order of members make no difference, and ``service`` is left out: version 1 did not
    know it, and both versions serve one memory while an upgrade is rolled out.
    """
    content = msgspec.to_builtins(request, str_keys=True)
    for line in content["lines"]:
        line.pop("service", None)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def event_taken(order_id: str, body: bytes, accepted: Accepted, source: str) -> Envelope | None:
    """The event of an order that was taken, if this request is the one that it was taken for.

    Args:
        order_id: The order's id.
        body: The request's body.
        accepted: What is remembered of the order.
        source: Who publishes the event.

    Returns:
        The event as it was published first, or None: the body is another order's, or no order's.
    """
    try:
        asked = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if digest_of(asked) != accepted.digest:
        return None
    if accepted.event is None:
        placed = _placed_by_version_1(order_id, asked)
        return initial(placed, source=source, event_id=accepted.event_id, time=accepted.placed_at)
    event = decode_envelope(accepted.event)
    return event if _services(event) == [line.service for line in asked.lines] else None


def _services(event: Envelope) -> list[bool]:
    placed = event.message()
    if not isinstance(placed, OrderPlaced):
        raise NotAnEventError("an order's first event says that it was placed")
    return [line.service for line in placed.lines]


def _placed_by_version_1(order_id: str, asked: AskedOrder) -> OrderPlaced:
    """What version 1 made of an order that it took: an unknown currency had cents."""
    known = minor_digits(asked.currency)
    digits = _USUAL_DIGITS if known is None else known
    lines = tuple(_line_by_version_1(line, digits) for line in asked.lines)
    customer = asked.customer or AskedCustomer()
    return OrderPlaced(
        order_id=order_id,
        customer=Customer(customer_id=customer.customer_id, email=customer.email),
        country=asked.country,
        lines=lines,
        total_minor=sum(line.total_minor for line in lines),
        currency=asked.currency,
    )


def _line_by_version_1(line: AskedLine, digits: int) -> OrderLine:
    """Prices were all that Python reads as decimal numbers, and services what has no five digits in front."""
    sku = line.sku.upper()
    head = sku[:_STOCK_DIGITS]
    return OrderLine(
        sku=sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        total_minor=line_total(line.quantity, Decimal(line.unit_price), digits),
        service=not (len(head) == _STOCK_DIGITS and head.isascii() and head.isdigit()),
        description=line.description,
    )


_DECODER: Final = msgspec.json.Decoder(AskedOrder)
