"""What the settings say of callers, and what they are told where they do not say enough."""

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest

from fakes.callers import NOW, SECRET, bearer, claims, key_set, signing_key
from orderstream_orders.callers import Caller, LoopbackCallers
from orderstream_workers.runtime.http.callers import Callers, callers_of
from orderstream_workers.runtime.settings import Settings, SettingsError

JWT = {"auth": "jwt", "jwt_issuer": "https://issuer.example.com/", "jwt_audience": "orderstream"}


def made(host: str, **settings: Any) -> Callers:
    return callers_of(Settings(**settings), host, lambda: NOW, lambda _: None)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_without_authentication_it_listens_on_loopback(host: str) -> None:
    """The default, for a machine of one's own."""
    assert isinstance(made(host).authentication, LoopbackCallers)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "orders.example.com", ""])
def test_without_authentication_it_listens_nowhere_else(host: str) -> None:
    """The error says what to set."""
    with pytest.raises(SettingsError, match="ORDERSTREAM_AUTH=jwt with ORDERSTREAM_JWT_ISSUER"):
        made(host)


@pytest.mark.parametrize("left_out", ["jwt_issuer", "jwt_audience", "jwt_keys"])
def test_tokens_need_an_issuer_an_audience_and_keys(left_out: str) -> None:
    """What is missing is named by its variable."""
    settings = {**JWT, "jwt_keys": "keys.json", left_out: ""}
    with pytest.raises(SettingsError, match=f"ORDERSTREAM_{left_out.upper()}"):
        made("0.0.0.0", **settings)


@pytest.mark.parametrize("keys", ["http://issuer.example.com/keys", "ftp://x/keys"])
def test_keys_come_from_where_nobody_can_change_them(keys: str) -> None:
    """The variable is named."""
    with pytest.raises(SettingsError, match="ORDERSTREAM_JWT_KEYS"):
        made("0.0.0.0", **JWT, jwt_keys=keys)


@pytest.mark.parametrize("secrets", ["", "short", f"{SECRET},{SECRET},{SECRET}", f"{SECRET},short"])
def test_a_gateway_needs_secrets_that_nobody_guesses(secrets: str) -> None:
    """The variable is named, and the secret is not quoted."""
    with pytest.raises(SettingsError, match="ORDERSTREAM_GATEWAY_SECRETS") as raised:
        made("0.0.0.0", auth="gateway", gateway_secrets=secrets)
    assert SECRET not in str(raised.value)


def test_a_gateway_may_have_two_secrets_while_they_change() -> None:
    """Separated by a comma, with or without a space."""
    callers = made("0.0.0.0", auth="gateway", gateway_secrets=f"{SECRET[::-1]}, {SECRET}")
    headers = {"X-Gateway-Secret": [SECRET], "X-Caller": ["alice"]}
    found = callers.authentication.identify(lambda name: headers.get(name, []))
    assert isinstance(found, Caller)
    assert found.name == "alice"


def test_tokens_are_verified_with_the_keys_of_the_file(tmp_path: Path) -> None:
    """Until the keys are read the API is not ready; then the token's subject is the caller."""
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(signing_key("ES256")))
    callers = made("0.0.0.0", **JWT, jwt_keys=str(file))
    (dependency,) = callers.dependencies
    with pytest.raises(Exception, match="was not asked for yet"):
        dependency.ask()
    stop = threading.Event()
    stop.set()
    callers.beside[0](stop)
    dependency.ask()
    headers = bearer(signing_key("ES256").sign(claims(now=NOW + dt.timedelta(seconds=5))))
    found = callers.authentication.identify(lambda name: [headers[name]] if name in headers else [])
    assert isinstance(found, Caller)
    assert found.name == "alice"
