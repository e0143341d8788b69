"""What a service says about the request at hand is the record's own; what nothing mends stops loudly."""

import pytest

from chaos.calls import Call
from hostile.adapters import ARCHIVE, DYNAMODB, MESSAGING, OPERATIONS, PROVIDER, SQS, Clients, Operation
from hostile.responses import Odd, Wire, error_body, good, refusal
from hostile.server import HostileServer
from orderstream.errors import DependencyError, OrderstreamError, RequestInvalidError
from orderstream_consumer.store import ConditionFailedError, ContentionError
from orderstream_workers.services.archiver import S3ObjectStore
from orderstream_workers.services.archiver.s3 import PutConditionIgnoredError
from orderstream_workers.services.notifications.mailer import MailRefusedError
from orderstream_workers.services.payments import ProviderRefusedError
from orderstream_workers.services.payments.queue_limits import MessageRefusedError


def named(name: str) -> Operation:
    (found,) = (operation for operation in OPERATIONS if operation.name == name)
    return found


@pytest.mark.parametrize(
    ("name", "odd", "error"),
    [
        ("store put", refusal(Wire.JSON, "ValidationException"), RequestInvalidError),
        ("store put", refusal(Wire.JSON, "ConditionalCheckFailedException"), ConditionFailedError),
        ("store put", refusal(Wire.JSON, "TransactionConflictException"), ContentionError),
        ("queue send", refusal(Wire.JSON, "InvalidMessageContents"), MessageRefusedError),
        ("mailer", refusal(Wire.QUERY, "MessageRejected"), MailRefusedError),
        ("mailer", refusal(Wire.QUERY, "InvalidParameterValue"), MailRefusedError),
        ("provider charge", refusal(Wire.HTTP, "malformed", 422), ProviderRefusedError),
        ("provider refund", refusal(Wire.HTTP, "not_charged", 422), ProviderRefusedError),
    ],
)
def test_a_refusal_is_the_records_own(
    server: HostileServer, name: str, odd: Odd, error: type[OrderstreamError]
) -> None:
    """The record is decided anew or given up, with the service's reason: asking again changes nothing."""
    operation = named(name)
    server.say(operation.respond(odd))
    with Clients(server.url) as clients, pytest.raises(OrderstreamError) as caught:
        operation.make(clients)()
    assert type(caught.value) is error
    assert caught.value.retryable == issubclass(error, DependencyError)
    assert len(server.calls) == 1


@pytest.mark.parametrize("name", ["leases create", "leases replace", "leases delete"])
def test_a_lease_that_has_changed_is_no_failure(server: HostileServer, name: str) -> None:
    """Somebody else was faster: that is a response, not an outage."""
    operation = named(name)
    server.say(operation.respond(refusal(Wire.JSON, "ConditionalCheckFailedException")))
    with Clients(server.url) as clients:
        assert operation.make(clients)() is False


@pytest.mark.parametrize("name", ["queue extend", "queue delete"])
def test_a_message_that_has_gone_is_no_failure(server: HostileServer, name: str) -> None:
    """It came back or was deleted elsewhere: there is nothing left to do."""
    operation = named(name)
    server.say(operation.respond(refusal(Wire.JSON, "ReceiptHandleIsInvalid", 404)))
    with Clients(server.url) as clients:
        assert operation.make(clients)() is None


class Bucket:
    """An S3 look-alike with one bucket.

    Args:
        keeps_condition: Whether it knows ``If-None-Match``.
    """

    def __init__(self, *, keeps_condition: bool) -> None:
        self.names: set[str] = set()
        self._keeps_condition = keeps_condition

    def respond(self, call: Call) -> Odd:
        method, _, name = call.operation.partition(" ")
        if method == "HEAD":
            return good(Wire.XML, b"") if name in self.names else Odd("absent", 404)
        if name in self.names and self._keeps_condition:
            return Odd("there", 412, error_body(Wire.XML, "PreconditionFailed", "At least one did not hold"))
        self.names.add(name)
        return good(Wire.XML, b"", "stored", ("etag", '"e"'))


def test_a_bucket_that_ignores_the_condition_is_refused(server: HostileServer) -> None:
    """The first object that is stored is put again: who takes it a second time keeps no archive."""
    server.say(Bucket(keeps_condition=False).respond)
    with Clients(server.url) as clients:
        objects = S3ObjectStore(clients.aws("s3"), "archive")
        with pytest.raises(PutConditionIgnoredError, match="If-None-Match") as caught:
            objects.put_if_absent("a", b"x", {})
    assert not caught.value.retryable
    assert not isinstance(caught.value, DependencyError)


def test_no_object_is_replaced_before_the_condition_is_known_to_hold(server: HostileServer) -> None:
    """What is there already is found by looking, so that the probe itself can do no harm."""
    bucket = Bucket(keeps_condition=False)
    bucket.names.add("/archive/a")
    server.say(bucket.respond)
    with Clients(server.url) as clients:
        assert not S3ObjectStore(clients.aws("s3"), "archive").put_if_absent("a", b"x", {})
    assert [call.operation.split()[0] for call in server.calls] == ["HEAD"]


def test_a_bucket_that_keeps_the_condition_is_asked_once(server: HostileServer) -> None:
    """The proof costs two calls, at the first object only."""
    server.say(Bucket(keeps_condition=True).respond)
    with Clients(server.url) as clients:
        objects = S3ObjectStore(clients.aws("s3"), "archive")
        assert [objects.put_if_absent(name, b"x", {}) for name in ("a", "b", "a")] == [True, True, False]
    assert [call.operation.split()[0] for call in server.calls] == ["HEAD", "PUT", "PUT", "PUT", "PUT"]


def test_every_adapter_is_there() -> None:
    """The suite speaks to every service that the pipeline works with, in each of its protocols."""
    assert {operation.wire for operation in OPERATIONS} == set(Wire)
    assert all((ARCHIVE, DYNAMODB, MESSAGING, PROVIDER, SQS))
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
