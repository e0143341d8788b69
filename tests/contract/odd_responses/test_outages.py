"""What the service did not say about a request is retried without end, by every call of every adapter."""

from collections.abc import Callable, Iterable

import pytest

from hostile.adapters import OPERATIONS, Clients, Operation
from hostile.responses import Delivery, Odd, Wire, members, outages
from hostile.server import HostileServer
from orderstream.errors import DependencyError

# The sockets of broken responses are left to the garbage collector by http.client and urllib3.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


def _verdict(call: Callable[[], object]) -> str:
    """How a call ends: an outage that can be retried, or something that must not be."""
    try:
        result = call()
    except DependencyError as error:
        return "retry" if error.retryable else "a DependencyError that is not retryable"
    except BaseException as error:  # noqa: BLE001 - whatever else ends a thread or gives up a record
        return f"raised {error!r}"
    return f"took it for {result!r}"


def _wrong(operation: Operation, server: HostileServer, odds: Iterable[Odd]) -> list[str]:
    wrong = []
    with Clients(server.url) as clients:
        call = operation.make(clients)
        for odd in odds:
            server.say(operation.respond(odd))
            verdict = _verdict(call)
            if verdict != "retry" and odd.name not in operation.fine:
                wrong.append(f"{odd}: {verdict}")
        server.say(operation.respond(operation.good))
        call()  # whatever came, the next call is served
    return wrong


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_what_the_service_did_not_say_is_retried(operation: Operation, server: HostileServer) -> None:
    """No page, no cut body, no throttle and no expired signature is a success or the record's own failure."""
    prompt = [odd for odd in outages(operation.wire) if odd.delivery is not Delivery.SILENT]
    assert _wrong(operation, server, prompt) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_silence_is_retried(operation: Operation, server: HostileServer) -> None:
    """A service that takes a request and never responds is an outage once the client's patience is over."""
    server.say(operation.respond(Odd("silent", delivery=Delivery.SILENT)))
    with Clients(server.url, patience=0.05) as clients:
        assert _verdict(operation.make(clients)) == "retry"


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if operation.members], ids=str)
def test_members_of_another_type_are_retried(operation: Operation, server: HostileServer) -> None:
    """Null, numbers, texts, lists and objects in each other's place, under the service's own head."""
    assert _wrong(operation, server, members(operation.wire, *operation.members)) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_outage_says_where_it_is(operation: Operation, server: HostileServer) -> None:
    """Whoever reads the error knows which service, which operation, and what it was."""
    if operation.wire is Wire.HTTP:
        return  # no region, and the one URL is a setting
    server.say(operation.respond(Odd("page", 503, b"<html><body>sorry</body></html>")))
    with Clients(server.url) as clients, pytest.raises(DependencyError) as caught:
        operation.make(clients)()
    if operation.name.startswith("engine"):
        return  # its refusals are logged, and its errors are the engine's own
    error = caught.value
    assert (error.region, error.endpoint) == ("us-east-1", server.url)
    assert error.resource
    assert all(part in str(error) for part in (error.resource, error.region, error.endpoint, "503"))
