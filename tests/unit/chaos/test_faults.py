"""What goes wrong is a function of the seed, and reads as AWS writes it."""

import json
from collections import Counter
from random import Random

import pytest

from chaos.calls import Call, call_of
from chaos.deliveries import Deliveries
from chaos.faults import Action, Fault, Rates, decide
from chaos.http1 import Message

TRANSACTION = Call(
    "inventory", "dynamodb", "TransactWriteItems", json.dumps({"TransactItems": [{}, {}, {}]}).encode()
)
ALL = Rates(conflict=0.2, throttle=0.2, error=0.2, lost_ack=0.2)


def drawn(call: Call, rates: Rates, seed: int = 1, times: int = 500) -> list[Action]:
    random = Random(seed)
    return [decide(call, random, rates) for _ in range(times)]


def test_the_same_seed_brings_the_same_faults() -> None:
    """A run can be played again; another seed is another run."""
    assert drawn(TRANSACTION, ALL) == drawn(TRANSACTION, ALL)
    assert drawn(TRANSACTION, ALL) != drawn(TRANSACTION, ALL, seed=2)


def test_each_fault_comes_at_its_rate() -> None:
    """A fifth each, and a fifth of the calls goes well."""
    counted = Counter(action.fault for action in drawn(TRANSACTION, ALL, times=5_000))
    assert set(counted) == {Fault.NONE, Fault.CONFLICT, Fault.THROTTLE, Fault.ERROR, Fault.LOST_ACK}
    assert all(800 < count < 1_200 for count in counted.values())


@pytest.mark.parametrize(
    ("service", "operation", "possible"),
    [
        ("dynamodb", "GetItem", {Fault.THROTTLE, Fault.ERROR, Fault.LOST_ACK}),
        ("dynamodb", "UpdateItem", {Fault.THROTTLE, Fault.ERROR, Fault.LOST_ACK, Fault.CONFLICT}),
        ("sqs", "ReceiveMessage", {Fault.ERROR}),
        ("sqs", "DeleteMessage", {Fault.ERROR, Fault.LOST_ACK}),
        ("s3", "PUT /archive/x", {Fault.ERROR}),
    ],
)
def test_a_call_suffers_only_what_its_service_does(
    service: str, operation: str, possible: set[Fault]
) -> None:
    """A read finds no conflict, and only a queue brings messages twice."""
    actions = drawn(Call("x", service, operation, b"{}"), ALL)
    assert {action.fault for action in actions} == possible | {Fault.NONE}


def test_a_cancelled_transaction_has_a_reason_for_each_item() -> None:
    """One item was in conflict; boto3 reads the reasons in the order of the items."""
    body = json.loads(drawn(TRANSACTION, Rates(conflict=1.0), times=1)[0].body)
    assert body["__type"].endswith("#TransactionCanceledException")
    codes = [reason["Code"] for reason in body["CancellationReasons"]]
    assert sorted(codes) == ["None", "None", "TransactionConflict"]


def received(*ids: str) -> bytes:
    return json.dumps({"Messages": [{"MessageId": name} for name in ids]}).encode()


def names(body: bytes | None) -> list[str]:
    return [message["MessageId"] for message in json.loads(body or b"{}").get("Messages", [])]


def test_a_message_comes_again() -> None:
    """One that was brought before is among the new ones, if the caller has asked for so many."""
    deliveries = Deliveries(Random(1))
    assert deliveries.again(received("a"), 10) is None
    assert names(deliveries.again(received("b"), 10)) == ["a", "b"]
    assert len(names(deliveries.again(received("c", "d"), 2))) == 2
    assert names(deliveries.again(b"{}", 1))[0] in "abcd"


def test_messages_are_reordered() -> None:
    """All of them come, the first one is another."""
    shuffled = names(Deliveries(Random(1)).shuffled(received("a", "b", "c")))
    assert sorted(shuffled) == ["a", "b", "c"]
    assert shuffled[0] != "a"
    assert Deliveries(Random(1)).shuffled(received("a")) is None


@pytest.mark.parametrize(
    ("headers", "body", "service", "operation"),
    [
        ({"x-amz-target": "DynamoDB_20120810.PutItem"}, b"{}", "dynamodb", "PutItem"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"Action=SendEmail&V=1", "ses", "SendEmail"),
        ({}, b"", "s3", "PUT /bucket/key"),
        (None, b"{}", "payments", "PUT /bucket/key"),
    ],
)
def test_a_call_tells_what_it_asks_for(
    headers: dict[str, str] | None, body: bytes, service: str, operation: str
) -> None:
    """The signature names the service, the protocol the operation; what is unsigned goes to the provider."""
    signature = f"AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{service}/aws4_request, Signature=0"
    signed = {} if headers is None else {"authorization": signature, **headers}
    request = Message("PUT /bucket/key HTTP/1.1", tuple(signed.items()), body)
    call = call_of("me", request)
    assert (call.service, call.operation) == (service, operation)
