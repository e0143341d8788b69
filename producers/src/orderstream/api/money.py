"""Prices into minor units, exactly: no floats, no context precision, half-even once per line."""

from decimal import Decimal, InvalidOperation
from typing import Final

MAX_PRICE_DIGITS: Final = 12
"""Digits that a price may have on either side of its point."""

_MINOR_DIGITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def minor_digits(currency: str) -> int:
    """Decimal digits of a currency's minor unit, by ISO 4217: 2 unless the standard says otherwise."""
    return _MINOR_DIGITS.get(currency, 2)


def parse_price(text: str) -> Decimal | None:
    """Read a price in major units.

    Args:
        text: A decimal string such as ``"2.55"``.

    Returns:
        The price, or None if it is no finite number or has more than ``MAX_PRICE_DIGITS`` digits before or
        after its point.
    """
    if len(text) > 4 * MAX_PRICE_DIGITS:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    if not price.is_finite():
        return None
    _, _, exponent = price.as_tuple()
    assert isinstance(exponent, int), "a finite number has a numeric exponent"
    if exponent < -MAX_PRICE_DIGITS or exponent > MAX_PRICE_DIGITS or price.adjusted() >= MAX_PRICE_DIGITS:
        return None
    return price


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
