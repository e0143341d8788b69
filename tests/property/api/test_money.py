"""Line totals against the decimal module's own rounding."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from iso4217 import Currency

from orderstream_orders.api.money import MAX_PRICE_DIGITS, line_total, parse_price
from orderstream_orders.contracts import Customer, OrderConfirmed
from orderstream_orders.currency import minor_digits, spelled
from orderstream_workers.services.notifications.domain import mail_about

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


@given(st.text(alphabet="0123456789.-+eE_ \u0661\uff11\u00b2", max_size=30))
def test_a_price_is_plain_digits_of_ascii(text: str) -> None:
    """What Python reads beside that (exponents, underscores, digits of other scripts) is none."""
    price = parse_price(text)
    if price is not None:
        assert text.isascii()
        assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)
        assert price == Decimal(text)


@pytest.mark.parametrize(
    "text", ["1__0", "1e3", "+1", " 1", "1 ", "\u0661\u0662", "\uff11", "1.", ".5", "", "NaN", "1\n"]
)
def test_what_is_no_plain_price_is_refused(text: str) -> None:
    """It would travel verbatim to everybody who reads the order."""
    assert parse_price(text) is None


ACTIVE = sorted(each.code for each in Currency if each.exponent is not None)


@given(amount=st.integers(0, 10**15), currency=st.sampled_from(ACTIVE))
def test_a_price_comes_back_in_the_mail(amount: int, currency: str) -> None:
    """From major units into minor ones and back into words: the same amount, in every currency."""
    digits = minor_digits(currency)
    assert digits is not None
    price = format(Decimal(amount).scaleb(-digits), "f")
    parsed = parse_price(price)
    assume(parsed is not None)
    assert line_total(1, parsed, digits) == amount
    mail = mail_about(
        OrderConfirmed(
            order_id="o-1", customer=Customer(email="a@example.com"), total_minor=amount, currency=currency
        )
    )
    assert mail is not None
    assert f"We have charged {price} {currency}." in mail.body


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (1234, "XOF", "1234 XOF"),
        (12345, "OMR", "12.345 OMR"),
        (1230, "GBP", "12.30 GBP"),
        (5, "GBP", "0.05 GBP"),
        (500, "JPY", "500 JPY"),
        (12345, "CLF", "1.2345 CLF"),
        (7, "XXQ", "7 minor units XXQ"),
    ],
)
def test_amounts_have_their_currency_s_digits(minor: int, currency: str, words: str) -> None:
    """ISO 4217 says how many; of a code that is not in it nothing is guessed."""
    assert spelled(minor, currency) == words


@pytest.mark.parametrize("code", ["XXQ", "XAU", "XTS", "XXX", "gbp", "", "GB", "GBPX", "\u0130OO"])
def test_nobody_pays_with_what_has_no_minor_unit(code: str) -> None:
    """Unknown codes, metals, codes for tests."""
    assert minor_digits(code) is None
