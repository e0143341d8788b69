"""Line totals against the decimal module's own rounding."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

from hypothesis import given
from hypothesis import strategies as st

from orderstream.api.money import MAX_PRICE_DIGITS, line_total, minor_digits, parse_price

EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)


@given(
    st.integers(-(10**9), 10**9),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6)
    | st.integers(-1000, 1000).map(lambda half: Decimal(half) / 1000),
    st.sampled_from([0, 2, 3]),
)
def test_a_line_is_rounded_half_even_to_minor_units(quantity: int, price: Decimal, digits: int) -> None:
    """It agrees with an exact decimal product that is quantized once."""
    exact = EXACT.multiply(Decimal(quantity), price)
    assert line_total(quantity, price, digits) == int(
        EXACT.quantize(exact, Decimal(1).scaleb(-digits)).scaleb(digits)
    )


@given(st.text(max_size=60) | st.decimals().map(str))
def test_any_text_is_a_bounded_price_or_none(text: str) -> None:
    """Nothing but a finite, bounded number is taken, and nothing raises."""
    price = parse_price(text)
    assert price is None or (price.is_finite() and abs(price) < 10**MAX_PRICE_DIGITS)


def test_currencies_have_their_own_minor_units() -> None:
    """ISO 4217: pounds have two digits, yen none, Kuwaiti dinars three."""
    assert [minor_digits(currency) for currency in ("GBP", "JPY", "KWD")] == [2, 0, 3]
