"""Currencies by ISO 4217: which there are, and how many digits their minor units have.

The table is the standard's own, as the library ``iso4217`` (extra ``api``) packages it. There is no other
one: what a price was turned into with it is turned back with it.
"""

from functools import cache
from typing import Final

from orderstream.errors import MissingExtraError

try:
    from iso4217 import Currency
except ModuleNotFoundError as error:
    raise MissingExtraError("api", "currencies") from error

_CODE_LENGTH: Final = 3


@cache
def minor_digits(code: str) -> int | None:
    """Decimal digits of a currency's minor unit.

    Args:
        code: The alphabetic code, in upper case.

    Returns:
        0 to 4; None for codes that are no means of payment: an unknown code (``XXQ``), a code without a minor
        unit (gold, ``XAU``) or one for tests (``XTS``).
    """
    if len(code) != _CODE_LENGTH:
        return None
    try:
        digits: int | None = Currency(code).exponent
    except ValueError:
        return None
    return digits


def spelled(amount_minor: int, code: str) -> str:
    """An amount as a person reads it, e.g. ``"12.30 GBP"``, ``"1234 XOF"``, ``"12.345 OMR"``.

    Args:
        amount_minor: Minor units, 0 or above.
        code: ISO 4217 code; of one that is not in the standard any more the minor units are given as such.
    """
    digits = minor_digits(code)
    if digits is None:
        return f"{amount_minor} minor units {code}"
    major, minor = divmod(amount_minor, 10**digits)
    return f"{major}.{minor:0{digits}d} {code}" if digits else f"{major} {code}"
