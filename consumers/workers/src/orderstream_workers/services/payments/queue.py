"""The queue that wakes payment workers: a protocol, and its implementation on SQS.

A message is only a bell: it names an order, and the order's state says what is to be done. So messages may be
duplicated, reordered and late.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from orderstream.aws import aws_calls, given_by_service, required
from orderstream.observability.tracing import traceparent_from_xray
from orderstream_workers.services.payments.queue_limits import (
    MAX_DELAY,
    MAX_MESSAGES,
    MAX_VISIBILITY,
    MAX_WAIT,
    MessageRefusedError,
    check_body,
    check_range,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueTypeDef,
        MessageTypeDef,
        SendMessageRequestTypeDef,
    )


@dataclass(frozen=True, slots=True)
class QueuedPayment:
    """A received message.

    Attributes:
        order_id: The order that has something to do.
        receipt: Names this receive of the message.
        receives: How often it has been received, this time included.
        sent_at: When it was put into the queue (UTC); None where the queue does not report it.
        traceparent: W3C trace context of the span that sent it, or of the AWS X-Ray segment where the message
            names no span; None where nothing is traced.
    """

    order_id: str
    receipt: str
    receives: int
    sent_at: dt.datetime | None = None
    traceparent: str | None = None


class PaymentQueue(Protocol):
    """A queue of orders, with visibility timeouts. Safe to use from many threads.

    Every method raises DependencyError if the queue could not be reached.
    """

    def send(self, order_id: str, delay: int = 0, traceparent: str | None = None) -> None:
        """Put an order into the queue; returns once that is acknowledged.

        Args:
            order_id: The order.
            delay: Seconds until it can be received, 0 to 900.
            traceparent: W3C trace context of the span that sends it.

        Raises:
            MessageRefusedError: the queue can never take this order's name.
        """

    def receive(self, limit: int, *, wait: int, visibility: int) -> Sequence[QueuedPayment]:
        """Receive messages, which are hidden from others from now on.

        Args:
            limit: At most so many, 1 to 10.
            wait: Seconds to wait for the first one, 0 to 20.
            visibility: Seconds until they come back unless they are deleted.
        """

    def extend(self, message: QueuedPayment, visibility: int) -> None:
        """Let a message come back in so many seconds from now, 0 to 43,200; pass over one that is gone."""

    def delete(self, message: QueuedPayment) -> None:
        """Release a message: it is done."""

    def depth(self) -> int:
        """About how many messages are in the queue, hidden and delayed ones included."""


def check_receive(limit: int, wait: int, visibility: int) -> None:
    """Refuse what SQS refuses of a receive; a mistake of the caller.

    Raises:
        ValueError: one of them is out of range.
    """
    check_range("limit", limit, 1, MAX_MESSAGES)
    check_range("wait", wait, 0, MAX_WAIT)
    check_range("visibility", visibility, 0, MAX_VISIBILITY)


_TRACEPARENT: Final = "traceparent"
"""The attribute of a message that names the span that sent it."""

_XRAY_HEADER: Final = "AWSTraceHeader"
"""The system attribute by which senders on AWS that AWS X-Ray traces name theirs."""

_DEPTHS: Final[tuple["QueueAttributeNameType", ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
"""The attributes that add up to a queue's depth."""


class SqsPaymentQueue:
    """A standard SQS queue.

    Its redrive policy should move a message to the dead letters after ten receives; the worker sends a
    message again long before that if only an outage held it up.

    Args:
        client: A boto3 SQS client, without retries of its own and with a read timeout above the longest wait.
        queue_url: The queue's URL.
    """

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._found_url = queue_url
        self._name = ""

    @classmethod
    def named(cls, client: "SQSClient", name: str) -> Self:
        """The queue with a name, which is looked up when it is first used: an outage ends no worker's start.

        Args:
            client: As above.
            name: The queue's name.
        """
        queue = cls(client, "")
        queue._name = name
        return queue

    @property
    def _url(self) -> str:
        if not self._found_url:
            with self._calls("GetQueueUrl"):
                response = self._client.get_queue_url(QueueName=self._name)
                self._found_url = required(response, "QueueUrl", str)
        return self._found_url

    def send(self, order_id: str, delay: int = 0, traceparent: str | None = None) -> None:
        """See ``PaymentQueue.send``."""
        check_body(order_id)
        check_range("delay", delay, 0, MAX_DELAY)
        with self._calls("SendMessage"):
            request: SendMessageRequestTypeDef = {
                "QueueUrl": self._url,
                "MessageBody": order_id,
                "DelaySeconds": delay,
            }
            if traceparent is not None:
                attribute: MessageAttributeValueTypeDef = {"DataType": "String", "StringValue": traceparent}
                request["MessageAttributes"] = {_TRACEPARENT: attribute}
            response = self._client.send_message(**request)
            required(response, "MessageId", str)

    def receive(self, limit: int, *, wait: int, visibility: int) -> Sequence[QueuedPayment]:
        """See ``PaymentQueue.receive``."""
        check_receive(limit, wait, visibility)
        with self._calls("ReceiveMessage"):
            response = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait,
                VisibilityTimeout=visibility,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp", _XRAY_HEADER],
                MessageAttributeNames=[_TRACEPARENT],
            )
            messages = given_by_service(response).get("Messages") or ()
            return [_received(message) for message in messages]

    def extend(self, message: QueuedPayment, visibility: int) -> None:
        """See ``PaymentQueue.extend``."""
        check_range("visibility", visibility, 0, MAX_VISIBILITY)
        try:
            with self._calls("ChangeMessageVisibility"):
                response = self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=visibility
                )
                given_by_service(response)
        except _GoneError:
            # It has become visible again or was deleted by another worker: there is nothing left to hide.
            return

    def delete(self, message: QueuedPayment) -> None:
        """See ``PaymentQueue.delete``."""
        try:
            with self._calls("DeleteMessage"):
                response = self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)
                given_by_service(response)
        except _GoneError:
            # Deleted by another worker, or received again: that receive finds the payment settled.
            return

    def depth(self) -> int:
        """See ``PaymentQueue.depth``."""
        with self._calls("GetQueueAttributes"):
            response = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=list(_DEPTHS),
            )
            counts = required(response, "Attributes", dict)
            return sum(int(required(counts, name, str)) for name in _DEPTHS)

    def _calls(self, operation: str) -> AbstractContextManager[None]:
        return aws_calls(
            "sqs",
            operation,
            client=self._client,
            resource=self._name or self._found_url,
            setting="ORDERSTREAM_PAYMENT_QUEUE",
            refusals=_refused,
        )


def _received(message: "MessageTypeDef") -> QueuedPayment:
    attributes = message.get("Attributes", {})
    sent = attributes.get("SentTimestamp")  # milliseconds
    return QueuedPayment(
        message["Body"],
        message["ReceiptHandle"],
        int(attributes.get("ApproximateReceiveCount", "1")),
        dt.datetime.fromtimestamp(int(sent) / 1000, dt.UTC) if sent is not None else None,
        _traceparent(message),
    )


def _traceparent(message: "MessageTypeDef") -> str | None:
    attribute = message.get("MessageAttributes", {}).get(_TRACEPARENT)
    if attribute is not None:
        return attribute.get("StringValue")
    header = message.get("Attributes", {}).get(_XRAY_HEADER)
    return None if header is None else traceparent_from_xray(header)


class _GoneError(Exception):
    """The receipt does not name a hidden message any more."""


_GONE: Final = frozenset(
    {"InvalidParameterValue", "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"}
    | {"ReceiptHandleIsInvalid"}
)


def _refused(code: str, error: "ClientError") -> Exception | None:
    """What SQS says about the message at hand."""
    if code == "InvalidMessageContents":
        return MessageRefusedError("has contents that SQS refuses")
    if code in _GONE and error.operation_name in {"ChangeMessageVisibility", "DeleteMessage"}:
        return _GoneError()
    return None
