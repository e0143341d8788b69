"""One suite for every implementation of the payment queue."""

import datetime as dt
from collections.abc import Iterator

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from fakes.moto_aws import moto_client
from fakes.payment_queue import MemoryPaymentQueue
from orderstream.errors import DependencyError
from orderstream_workers.services.payments import MessageRefusedError, PaymentQueue, SqsPaymentQueue


@pytest.fixture(params=["memory", "sqs"])
def queue(request: pytest.FixtureRequest) -> Iterator[PaymentQueue]:
    """Each implementation in turn."""
    if request.param == "memory":
        yield MemoryPaymentQueue()
        return
    with mock_aws():
        client = sqs_client()
        yield SqsPaymentQueue(client, client.create_queue(QueueName="payments")["QueueUrl"])
        client.close()


def sqs_client():
    return moto_client("sqs")


def test_what_is_sent_is_received_and_hidden(queue: PaymentQueue) -> None:
    """A received message is hidden from others, and carries how often it was received."""
    queue.send("o-1")
    (message,) = queue.receive(10, wait=0, visibility=30)
    assert (message.order_id, message.receives) == ("o-1", 1)
    assert queue.receive(10, wait=0, visibility=30) == []
    assert queue.depth() == 1


def test_a_message_names_the_span_that_sent_it(queue: PaymentQueue) -> None:
    """However often it is received; where nothing is traced it names none."""
    context = f"00-{'a' * 32}-{'b' * 16}-01"
    for order_id, traceparent in (("o-1", context), ("o-2", None)):
        queue.send(order_id, traceparent=traceparent)
    for _ in range(2):
        received = queue.receive(10, wait=0, visibility=0)
        assert {message.order_id: message.traceparent for message in received} == {
            "o-1": context,
            "o-2": None,
        }


@pytest.mark.parametrize(
    ("own", "header", "continued"),
    [
        (None, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", True),
        ("00-" + "a" * 32 + "-" + "b" * 16 + "-01", "Root=1-5759e988-bd862e3fe1be46a994272793", False),
        (None, "Root=nonsense", False),
    ],
)
def test_a_message_continues_the_trace_of_its_sender_on_aws(
    own: str | None, header: str, continued: bool
) -> None:
    """AWS X-Ray's header is a system attribute; the message's own context goes before it."""
    with mock_aws():
        client = sqs_client()
        url = client.create_queue(QueueName="payments")["QueueUrl"]
        client.send_message(
            QueueUrl=url,
            MessageBody="o-1",
            MessageAttributes={"traceparent": {"DataType": "String", "StringValue": own}} if own else {},
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": header}},
        )
        (message,) = SqsPaymentQueue(client, url).receive(1, wait=0, visibility=0)
        client.close()
    expected = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01" if continued else own
    assert message.traceparent == expected


def test_no_more_than_asked_for(queue: PaymentQueue) -> None:
    """A receive gives at most as many messages as there are permits for."""
    for number in range(5):
        queue.send(f"o-{number}")
    first = queue.receive(3, wait=0, visibility=30)
    rest = queue.receive(10, wait=0, visibility=30)
    assert (len(first), len(rest)) == (3, 2)
    assert {message.order_id for message in [*first, *rest]} == {f"o-{number}" for number in range(5)}


def test_a_message_handed_back_is_received_again(queue: PaymentQueue) -> None:
    """Visibility 0 gives it back at once; the count of receives goes on."""
    queue.send("o-1")
    (message,) = queue.receive(1, wait=0, visibility=30)
    queue.extend(message, 0)
    (again,) = queue.receive(1, wait=0, visibility=30)
    assert (again.order_id, again.receives) == ("o-1", 2)


def test_a_deleted_message_is_gone(queue: PaymentQueue) -> None:
    """Nothing comes back, and deleting it again or hiding it does no harm."""
    queue.send("o-1")
    (message,) = queue.receive(1, wait=0, visibility=0)
    queue.delete(message)
    queue.delete(message)
    queue.extend(message, 0)
    assert queue.receive(1, wait=0, visibility=0) == []
    assert queue.depth() == 0


def test_a_delayed_message_is_counted_and_not_received(queue: PaymentQueue) -> None:
    """A message sent for later waits, and is part of the depth."""
    queue.send("o-1", delay=600)
    assert queue.receive(1, wait=0, visibility=30) == []
    assert queue.depth() == 1


def test_orders_may_be_queued_twice(queue: PaymentQueue) -> None:
    """The queue does not deduplicate: two messages are two bells."""
    queue.send("o-1")
    queue.send("o-1")
    assert [message.order_id for message in queue.receive(10, wait=0, visibility=30)] == ["o-1", "o-1"]


@pytest.mark.parametrize("body", ["o", "\t\n\r \ud7ff\ue000\ufffd\U0001f69a", "x" * 1_048_576])
def test_what_sqs_takes_is_taken(queue: PaymentQueue, body: str) -> None:
    """A message comes back as it was sent."""
    queue.send(body)
    (message,) = queue.receive(1, wait=0, visibility=30)
    assert message.order_id == body


@pytest.mark.parametrize(
    "body", ["", "a\0", "\x1f", "\ufffe", "\uffff", "\ud800", "x" * 1_048_577, "\u00e9" * 524_289]
)
def test_what_sqs_refuses_is_refused(queue: PaymentQueue, body: str) -> None:
    """It is the record's own failure, not an outage, and nothing is sent."""
    with pytest.raises(MessageRefusedError) as refused:
        queue.send(body)
    assert not refused.value.retryable
    assert queue.depth() == 0


def test_numbers_outside_of_the_ranges_of_sqs_are_refused(queue: PaymentQueue) -> None:
    """They are mistakes of the caller: a delay, a limit, a wait, a visibility timeout."""
    queue.send("o-1")
    with pytest.raises(ValueError, match="delay is 901"):
        queue.send("o-2", delay=901)
    for limit in (0, 11):
        with pytest.raises(ValueError, match="limit"):
            queue.receive(limit, wait=0, visibility=30)
    with pytest.raises(ValueError, match="wait is 21"):
        queue.receive(1, wait=21, visibility=30)
    with pytest.raises(ValueError, match="visibility"):
        queue.receive(1, wait=0, visibility=43_201)
    (message,) = queue.receive(10, wait=0, visibility=30)
    with pytest.raises(ValueError, match="visibility"):
        queue.extend(message, -1)


def test_a_refusal_of_contents_by_sqs_itself_is_no_outage() -> None:
    """Whatever SQS takes exception to, no retry mends it."""
    client = sqs_client()
    with Stubber(client) as stub:
        stub.add_client_error("send_message", "InvalidMessageContents")
        with pytest.raises(MessageRefusedError):
            SqsPaymentQueue(client, "https://sqs.us-east-1.amazonaws.com/1/payments").send("o-1")
    client.close()


def test_an_outage_is_a_dependency_error() -> None:
    """Whatever SQS does not answer is tried again by the caller."""
    client = sqs_client()
    with Stubber(client) as stub:
        stub.add_client_error("send_message", "ServiceUnavailable", http_status_code=503)
        with pytest.raises(DependencyError):
            SqsPaymentQueue(client, "https://sqs.us-east-1.amazonaws.com/1/payments").send("o-1")
    client.close()


def test_a_queue_is_found_by_its_name_and_tells_when_a_message_was_sent() -> None:
    """SQS knows queues by name, and since when a message is in one."""
    with mock_aws():
        client = sqs_client()
        client.create_queue(QueueName="payments")
        queue = SqsPaymentQueue.named(client, "payments")
        before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        queue.send("o-1")
        (message,) = queue.receive(1, wait=0, visibility=30)
        assert message.sent_at is not None
        assert before <= message.sent_at <= dt.datetime.now(dt.UTC)
        with pytest.raises(DependencyError, match="GetQueueUrl"):
            SqsPaymentQueue.named(client, "none").send("o-1")
        client.close()


def test_an_outage_at_the_start_is_waited_out_by_whoever_uses_the_queue() -> None:
    """A worker that starts while SQS is away must not end over the name of its queue."""
    client = sqs_client()
    queue = SqsPaymentQueue.named(client, "payments")
    url = "https://sqs.us-east-1.amazonaws.com/1/payments"
    with Stubber(client) as stub:
        stub.add_client_error("get_queue_url", "ServiceUnavailable", http_status_code=503)
        with pytest.raises(DependencyError, match="GetQueueUrl"):
            queue.send("o-1")
        stub.add_response("get_queue_url", {"QueueUrl": url})
        sent = {"QueueUrl": url, "MessageBody": "o-1", "DelaySeconds": 0}
        stub.add_response("send_message", {"MessageId": "1", "MD5OfMessageBody": "x"}, sent)
        queue.send("o-1")
        stub.assert_no_pending_responses()
    client.close()
