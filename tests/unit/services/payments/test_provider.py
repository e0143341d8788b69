"""What the HTTP client makes of every response, and of none."""

from collections.abc import Callable

import httpx
import msgspec
import pytest

from orderstream_workers.services.payments import (
    ProviderRefusedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.provider import Charged, Declined, Refunded
from orderstream_workers.services.payments.provider.http import HttpPaymentProvider, header_value

CHARGE = Charge("o-1", 1230, "GBP", "o-1:capture")
REFUND = Refund("o-1", "ch_1", 1230, "GBP", "o-1:refund")


def provider(handler: Callable[[httpx.Request], httpx.Response]) -> HttpPaymentProvider:
    return HttpPaymentProvider(httpx.Client(transport=httpx.MockTransport(handler)), "http://provider/")


def test_a_charge_carries_its_key_and_body() -> None:
    """The idempotency key goes into the header, amounts in minor units into the body."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"charge_id": "ch_1"})

    assert provider(handler).charge(CHARGE) == Charged("ch_1")
    (request,) = seen
    assert (str(request.url), request.headers["Idempotency-Key"]) == (
        "http://provider/v1/charges",
        "o-1:capture",
    )
    body = msgspec.json.decode(request.content)
    assert body == {"order_id": "o-1", "amount_minor": 1230, "currency": "GBP"}


def test_a_refund_names_its_charge() -> None:
    """The refund's id comes back."""
    assert provider(lambda _: httpx.Response(201, json={"refund_id": "re_1"})).refund(REFUND) == Refunded(
        "re_1"
    )


def test_402_is_the_only_decline() -> None:
    """The provider's code is the reason."""
    response = httpx.Response(402, json={"code": "card_declined"})
    assert provider(lambda _: response).charge(CHARGE) == Declined("card_declined")


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 405, 408, 409, 425, 500, 502, 503, 504])
def test_a_failing_provider_leaves_the_request_in_doubt(status: int) -> None:
    """It may have been carried out: ask again."""
    with pytest.raises(ProviderUnavailableError) as caught:
        provider(lambda _: httpx.Response(status, json={"code": "x"})).charge(CHARGE)
    assert caught.value.retryable


def test_a_throttle_says_how_long() -> None:
    """429 carries Retry-After; one that cannot be read says nothing."""
    with pytest.raises(ProviderThrottledError) as caught:
        provider(lambda _: httpx.Response(429, headers={"Retry-After": "3"})).charge(CHARGE)
    assert caught.value.retry_after == 3.0
    with pytest.raises(ProviderThrottledError) as caught:
        provider(lambda _: httpx.Response(429, headers={"Retry-After": "soon"})).charge(CHARGE)
    assert caught.value.retry_after is None


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError])
def test_no_response_leaves_the_request_in_doubt(error: type[httpx.RequestError]) -> None:
    """A timeout or a broken connection is neither a charge nor a decline."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise error("on demand")

    with pytest.raises(ProviderUnavailableError):
        provider(handler).refund(REFUND)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"<html>", b'{"charge_id": null}', b'{"charge_id": ""}', b'"x"']
)
def test_an_unreadable_success_is_no_response(content: bytes) -> None:
    """A proxy's page with status 201 says nothing about the charge."""
    with pytest.raises(ProviderUnavailableError):
        provider(lambda _: httpx.Response(201, content=content)).charge(CHARGE)


@pytest.mark.parametrize("status", [400, 422])
def test_a_mistake_of_ours_is_not_retried(status: int) -> None:
    """What the provider does not understand is neither a decline nor an outage."""
    with pytest.raises(ProviderRefusedError) as caught:
        provider(lambda _: httpx.Response(status, json={"code": "x"})).charge(CHARGE)
    assert not caught.value.retryable


@pytest.mark.parametrize("status", [400, 402, 410, 413, 422])
@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}", b'{"code": 7}'])
def test_a_refusal_without_the_provider_s_own_words_is_none(status: int, content: bytes) -> None:
    """A gateway's page says nothing about the payment, whatever its status."""
    with pytest.raises(ProviderUnavailableError):
        provider(lambda _: httpx.Response(status, content=content)).charge(CHARGE)


KEYS = [
    "o-1:capture",
    " o-1:capture",
    "o-1 :capture",
    "\u00e9:capture",
    "%C3%A9:capture",
    "utf-8''%C3%A9:capture",
]


def test_any_key_travels_in_a_header_and_no_two_meet() -> None:
    """Visible ASCII as it is; everything else encoded, so that no order is charged under another's key."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Idempotency-Key"])
        return httpx.Response(201, json={"charge_id": "ch_1"})

    for key in KEYS:
        provider(handler).charge(Charge(key, 1230, "GBP", key))
    assert seen[0] == KEYS[0]
    assert len(set(seen)) == len(KEYS)
    assert all(value.isascii() and value == value.strip() for value in seen)


@pytest.mark.parametrize("key", ["o-1:capture", "INV 1001:capture", "a  b:refund"])
def test_a_key_that_was_ever_sent_stays_what_it_was(key: str) -> None:
    """A later version, too, asks for a payment in doubt under its key: else the customer is charged twice."""
    assert header_value(key) == key


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_strange_wait_is_no_wait(value: str) -> None:
    """A Retry-After that is no number of seconds does not decide how long a payment rests."""
    with pytest.raises(ProviderThrottledError) as caught:
        provider(lambda _: httpx.Response(429, headers={"Retry-After": value})).charge(CHARGE)
    assert caught.value.retry_after in {None, 0.0}
