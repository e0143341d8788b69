"""Callers by a gateway's word, and on a machine of one's own."""

import pytest

from fakes.callers import SECRET
from orderstream_orders.callers import (
    ANONYMOUS,
    READ,
    SCOPES,
    WRITE,
    Caller,
    GatewayCallers,
    GatewaySecretError,
    LoopbackCallers,
    Refusal,
    is_loopback,
)
from orderstream_orders.callers.caller import MAX_CALLER, HeaderValues

NEXT = "the-next-secret-of-more-than-32-characters"


def headers(*given: tuple[str, str]) -> HeaderValues:
    return lambda name: [value for known, value in given if known == name]


@pytest.mark.parametrize("secret", [SECRET, NEXT])
def test_a_gateway_says_who_calls_and_proves_itself_by_either_secret(secret: str) -> None:
    """While the secret changes, both count."""
    found = GatewayCallers([SECRET, NEXT]).identify(
        headers(("X-Gateway-Secret", secret), ("X-Caller", "alice"))
    )
    assert found == Caller("alice", frozenset({READ, WRITE}))


@pytest.mark.parametrize(
    "given",
    [
        [],
        [("X-Caller", "alice")],
        [("X-Caller", "alice"), ("X-Gateway-Secret", "")],
        [("X-Caller", "alice"), ("X-Gateway-Secret", NEXT)],
        [("X-Caller", "alice"), ("X-Gateway-Secret", SECRET[:-1])],
        [("X-Caller", "alice"), ("X-Gateway-Secret", SECRET + "x")],
        [("X-Caller", "alice"), ("X-Gateway-Secret", SECRET), ("X-Gateway-Secret", "guess")],
        [("X-Caller", "alice"), ("X-Gateway-Secret", "\udcff")],
        [("X-Gateway-Secret", SECRET)],
        [("X-Gateway-Secret", SECRET), ("X-Caller", "alice"), ("X-Caller", "bob")],
        *(
            [("X-Gateway-Secret", SECRET), ("X-Caller", name)]
            for name in ("", ANONYMOUS, " alice", "a\0", "x" * (MAX_CALLER + 1))
        ),
    ],
)
def test_without_the_secret_or_one_name_nobody_calls(given: list[tuple[str, str]]) -> None:
    """A client cannot name itself, nor slip a second name past the gateway's."""
    found = GatewayCallers([SECRET]).identify(headers(*given))
    assert isinstance(found, Refusal)
    assert found.kind == "unauthenticated"


@pytest.mark.parametrize(
    "secrets", [[], [SECRET, NEXT, SECRET], ["short"], [SECRET, "x" * 31], ["\u00e4" * 40], ["a b" * 20]]
)
def test_secrets_that_cannot_be_used_are_named_but_not_quoted(secrets: list[str]) -> None:
    """A log with the error in it gives nothing away."""
    with pytest.raises(GatewaySecretError) as raised:
        GatewayCallers(secrets)
    assert not any(secret in str(raised.value) for secret in secrets)


def test_on_a_machine_of_one_s_own_everybody_is_one_caller() -> None:
    """Who names itself is refused, for the name would not count."""
    assert LoopbackCallers().identify(headers()) == Caller(ANONYMOUS, SCOPES)
    assert LoopbackCallers().identify(headers(("X-Caller", "alice"))) == Refusal(
        "foreign_header", "caller header"
    )


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *(("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("", False), ("example.com", False)),
        *(("localhost.example.com", False), ("127.1", False)),
    ],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    """Addresses by their number; of names one alone, since others are what a resolver says."""
    assert is_loopback(host) == loopback
