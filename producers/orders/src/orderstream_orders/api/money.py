"""Prices into minor units, exactly: no floats, no context precision, half-even once per line."""

import re
from decimal import Decimal
from typing import Final

MAX_PRICE_DIGITS: Final = 12
"""Digits that a price may have on either side of its point."""

_PRICE: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
"""Plain digits of ASCII: no exponent, no sign but minus, no underscore, no digits of other scripts."""


def parse_price(text: str) -> Decimal | None:
    """Read a price in major units.

    Args:
        text: A decimal string such as ``"2.55"``.

    Returns:
        The price, or None if it is no plain decimal number in ASCII digits or has more than
        ``MAX_PRICE_DIGITS`` of them before or after its point.
    """
    if not _PRICE.fullmatch(text):
        return None
    whole, _, fraction = text.lstrip("-").partition(".")
    if max(len(whole), len(fraction)) > MAX_PRICE_DIGITS:
        return None
    return Decimal(text)


def line_total(quantity: int, unit_price: Decimal, digits: int) -> int:
    """What a line costs: ``quantity * unit_price``, rounded half-even to minor units.

    Args:
        quantity: Units.
        unit_price: Price of one unit in major units, finite.
        digits: Decimal digits of the currency's minor unit.

    Returns:
        Minor units.
    """
    numerator, denominator = unit_price.as_integer_ratio()
    scale: int = 10**digits
    whole, rest = divmod(quantity * numerator * scale, denominator)
    # divmod floors, so the rest is never negative, and the neighbours are `whole` and `whole + 1`.
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        whole += 1
    return whole
