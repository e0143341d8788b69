"""Whether an order can be accepted, and its total: a function of the request alone."""

from decimal import Decimal
from http import HTTPStatus
from typing import Final

import msgspec

from orderstream_orders.api.money import MAX_PRICE_DIGITS, line_total, parse_price
from orderstream_orders.api.requests import MAX_ORDER_BYTES, LineRequest, OrderRequest, Rejection
from orderstream_orders.contracts import Customer, OrderLine, OrderPlaced
from orderstream_orders.currency import minor_digits

MAX_TOTAL_MINOR: Final = 10**15
"""Largest order, in minor units: every later sum stays within 64 bits."""


def accept(order_id: str, request: OrderRequest, placed_by: str | None = None) -> OrderPlaced | Rejection:
    """Check an order and price it.

    The checks cover the whole order one after the other: the currency, prices that are numbers, then
    quantities, then prices' signs, then the total, then the size. The first that fails is the one that is
    reported to the customer.

    Args:
        order_id: The order's id.
        request: What was asked for.
        placed_by: The caller, as logs name it; None where callers are not distinguished.

    Returns:
        The event to publish, or why there is none.
    """
    digits = minor_digits(request.currency)
    if digits is None:
        return Rejection(
            "malformed",
            f"currency {request.currency} is not an ISO 4217 currency with minor units, so no payment is "
            "possible in it",
            field="currency",
        )
    prices = _prices(request)
    if isinstance(prices, Rejection):
        return prices
    lines = tuple(
        _line(line, line_total(line.quantity, price, digits))
        for line, price in zip(request.lines, prices, strict=True)
    )
    total = sum(line.total_minor for line in lines)
    if total == 0:
        return Rejection("nothing_to_pay", "the order's total is 0: there is nothing to charge")
    if total > MAX_TOTAL_MINOR:
        return Rejection(
            "malformed", f"the total of {total} minor units is over {MAX_TOTAL_MINOR}: split the order"
        )
    customer = request.customer
    placed = OrderPlaced(
        order_id=order_id,
        customer=Customer(customer_id=customer.customer_id, email=customer.email) if customer else Customer(),
        country=request.country,
        lines=lines,
        total_minor=total,
        currency=request.currency,
        placed_by=placed_by,
    )
    size = len(msgspec.json.encode(placed))
    if size > MAX_ORDER_BYTES:
        return Rejection(
            "malformed",
            f"an order may have {MAX_ORDER_BYTES:,} bytes, this one has {size:,}: split it, or leave "
            "descriptions out",
            field="lines",
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
    return placed


def _prices(request: OrderRequest) -> list[Decimal] | Rejection:
    """The price of each line, or what is wrong with the first bad line."""
    prices: list[Decimal] = []
    for number, line in enumerate(request.lines, start=1):
        price = parse_price(line.unit_price)
        if price is None:
            return Rejection(
                "malformed",
                f"line {number}: unit_price {line.unit_price!r} is not a plain decimal such as 2.55, of "
                f"at most {MAX_PRICE_DIGITS} digits on either side of the point",
                field="unit_price",
                line=number,
            )
        prices.append(price)
    for number, line in enumerate(request.lines, start=1):
        if line.quantity <= 0:
            return Rejection(
                "non_positive_quantity",
                f"line {number}: quantity {line.quantity} must be at least 1",
                field="quantity",
                line=number,
            )
    for number, price in enumerate(prices, start=1):
        if price < 0:
            return Rejection(
                "negative_price",
                f"line {number}: unit_price {price} must not be negative",
                field="unit_price",
                line=number,
            )
    return prices


def _line(line: LineRequest, total_minor: int) -> OrderLine:
    return OrderLine(
        sku=line.sku.upper(),
        quantity=line.quantity,
        unit_price=line.unit_price,
        total_minor=total_minor,
        service=line.service,
        description=line.description,
    )
