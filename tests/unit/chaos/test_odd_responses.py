"""Odd responses can be injected between a process and each service, before and after the call was done."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from random import Random

import pytest

from chaos.calls import Call
from chaos.faults import Fault, Rates, decide, odd_responses
from chaos.gateway import Gateway
from hostile.responses import Delivery, Odd, Wire, outages
from hostile.server import HostileServer

SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/dynamodb/aws4_request, Signature=0"
DONE = Odd("done", 200, b'{"done": true}')


@pytest.mark.parametrize("wire", Wire)
def test_names_are_unique(wire: Wire) -> None:
    """A name in a report leads to one response."""
    names = [odd.name for odd in outages(wire)]
    assert len(names) == len(set(names)) > 80


@pytest.mark.parametrize("service", ["dynamodb", "kinesis", "sqs", "sns", "ses", "s3", "payments"])
def test_every_service_has_all_kinds(service: str) -> None:
    """Pages, empty and cut bodies, resets, throttles and, where requests are signed, expired signatures."""
    found = [odd for kind in odd_responses(service) for odd in kind]
    names = {odd.name for odd in found}
    assert names >= {"page-doctype-503", "empty-200", "empty-429", "cut-200", "reset", "redirect-302"}
    assert ("ExpiredTokenException-400" in names) == (service != "payments")
    assert all(odd.delivery is not Delivery.SILENT for odd in found)


def test_the_seed_decides_which_comes() -> None:
    """The same seed brings the same responses; mails and alerts are never done twice by it."""
    call = Call("me", "ses", "SendEmail", b"")
    rates = Rates(odd=0.5, odd_ack=0.5)

    def drawn(seed: int) -> list[object]:
        random = Random(seed)
        return [decide(call, random, rates) for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    random = Random(1)
    assert {decide(call, random, rates).fault for _ in range(50)} == {Fault.ODD, Fault.NONE}


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer(DONE) as server:
        yield server


def ask(gateway: Gateway, server: HostileServer) -> tuple[int, bytes] | None:
    """What a caller gets through the gateway; None where the connection breaks."""
    address = gateway.url("me", server.url).removeprefix("http://")
    with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        connection.request("POST", "/", b"{}", {"Authorization": SIGNED, "X-Amz-Target": "X.PutItem"})
        try:
            response = connection.getresponse()
            return response.status, response.read()
        except (http.client.HTTPException, OSError):
            return None


@pytest.mark.parametrize(("rates", "fault"), [(Rates(odd=1.0), "odd"), (Rates(odd_ack=1.0), "odd_ack")])
def test_the_gateway_responds_in_the_services_stead(server: HostileServer, rates: Rates, fault: str) -> None:
    """The service has done everything or nothing; its own response reaches nobody, and all is counted."""
    with Gateway(seed=3, rates=rates) as gateway:
        got = [ask(gateway, server) for _ in range(60)]
        assert (200, DONE.body) not in got
        assert None in got
        assert len({status for status, _ in filter(None, got)}) > 3
        assert len(server.calls) == (60 if fault == "odd_ack" else 0)
        assert gateway.injected == {f"dynamodb:{fault}": 60}


@pytest.mark.parametrize("odd", outages(Wire.HTTP), ids=str)
def test_the_server_sends_each_as_the_gateway_does(server: HostileServer, odd: Odd) -> None:
    """A whole one arrives with its status and body; a broken one never looks whole."""
    if odd.delivery is Delivery.SILENT:
        server.say(odd)
        address = server.url.removeprefix("http://")
        with closing(http.client.HTTPConnection(address, timeout=0.05)) as connection:
            connection.request("POST", "/", b"{}")
            with pytest.raises(TimeoutError):
                connection.getresponse()
        return
    server.say(odd)
    with Gateway() as gateway:
        got = ask(gateway, server)
    assert got == ((odd.status, odd.body) if odd.delivery in {Delivery.WHOLE, Delivery.SLOW} else None)
