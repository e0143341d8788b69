"""What a person starts once says in one sentence that a service gave no response of its own."""

from typing import Any

import pytest
from moto import mock_aws

from chaos.calls import Call
from fakes.moto_aws import moto_client
from hostile.adapters import Clients
from hostile.responses import Odd, Wire, good, pages, shapes
from hostile.server import HostileServer
from orderstream_workers.runtime.clients import account
from orderstream_workers.runtime.provision import ProvisionError, provision
from orderstream_workers.runtime.settings import Settings

SETTINGS = Settings(read_model_url="sqlite:///:memory:")

# The sockets of broken responses are left to the garbage collector by http.client and urllib3.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


def _odd(wire: Wire) -> list[Odd]:
    """One of each sort: the translation itself meets all of them in ``test_outages``."""
    chosen = {"page-html-200", "empty-page-200", "page-text-503", "object-200", "foreign-200"}
    return [odd for odd in (*pages(), *shapes(wire)) if odd.name in chosen]


def _client(service: str) -> Any:
    return moto_client(service)


@pytest.mark.parametrize(
    ("service", "wire"),
    [
        ("kinesis", Wire.JSON),
        ("dynamodb", Wire.JSON),
        ("sqs", Wire.JSON),
        ("sns", Wire.QUERY),
        ("s3", Wire.XML),
        ("ses", Wire.QUERY),
    ],
)
def test_provisioning_takes_no_page_for_a_resource(server: HostileServer, service: str, wire: Wire) -> None:
    """Neither a traceback nor a stream, queue or sender that is thought to be there."""
    wrong: list[str] = []
    with mock_aws(), Clients(server.url) as clients:
        made = {name: _client(name) for name in ("kinesis", "dynamodb", "sqs", "sns", "s3", "ses")}
        provision(SETTINGS, 1, made.__getitem__)
        made[service] = clients.aws(service)
        for odd in _odd(wire):

            def said(_: Call, odd: Odd = odd) -> Odd:
                return odd

            server.say(said)
            try:
                provision(SETTINGS, 1, made.__getitem__)
            except ProvisionError:
                continue
            except Exception as error:  # noqa: BLE001 - a traceback, to whoever runs the command
                wrong.append(f"{odd}: {error!r}")
            else:
                wrong.append(f"{odd}: taken for done")
    assert wrong == []


def test_an_account_that_cannot_be_had_is_unknown(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command goes on: it names the account only for whoever reads its errors."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    for odd in _odd(Wire.QUERY):
        server.say(lambda _, odd=odd: odd)
        assert account().startswith("unknown (")
    body = b"<R><GetCallerIdentityResult><Account>123</Account></GetCallerIdentityResult></R>"
    server.say(lambda _: good(Wire.QUERY, body))
    assert account() == "123"
