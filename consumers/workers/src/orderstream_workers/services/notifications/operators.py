"""Alerts to operators: a protocol, and its implementation on Amazon SNS."""

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from orderstream.aws import aws_calls, required

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MAX_MESSAGE_BYTES: Final = 262_144
"""Largest message of a topic that is set to no other size, UTF-8."""

_SETTING: Final = "ORDERSTREAM_OPERATORS_TOPIC"
_MAX_SUBJECT: Final = 99
"""Characters of a subject: fewer than 100 (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""


class LowStockAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert to operators about low stock.

    Attributes:
        event_id: The event that it reports; the same if it is published twice.
        sku: Stock keeping unit.
        available: Units that could still be reserved.
        threshold: Units at which stock counts as low.
        at: When the stock became low, ISO 8601.
    """

    event_id: str
    sku: str
    available: int
    threshold: int
    at: str


class Operators(Protocol):
    """Receives alerts. Safe to use from many threads."""

    def notify(self, alert: LowStockAlert) -> None:
        """Hand an alert over; returns once it is accepted.

        Raises:
            DependencyError: the service did not respond; it may have been accepted.
            ValueError: the alert is larger than any topic takes.
        """


class SnsOperators:
    """Publishes to an SNS topic, as JSON.

    Args:
        client: A boto3 SNS client, without retries of its own.
        topic_arn: The topic; a standard one, for whose messages no order is promised.
    """

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def notify(self, alert: LowStockAlert) -> None:
        """See ``Operators.notify``. A missing topic or right is an outage too: an operator fixes it."""
        subject, message = publication(alert)
        with aws_calls("sns", "Publish", client=self._client, resource=self._topic_arn, setting=_SETTING):
            response = self._client.publish(TopicArn=self._topic_arn, Subject=subject, Message=message)
            required(response, "MessageId", str)


def publication(alert: LowStockAlert) -> tuple[str, str]:
    """Subject and message of an alert, as SNS takes them.

    Raises:
        ValueError: the message is larger than a topic takes.
    """
    message = msgspec.json.encode(alert)
    if len(message) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message to SNS has {MAX_MESSAGE_BYTES:,} bytes at most, not {len(message):,}")
    return _subject(alert.sku), message.decode()


def _subject(sku: str) -> str:
    """One line of ASCII, whatever the SKU holds."""
    shown = "".join(character if "!" <= character <= "~" else "?" for character in sku)
    return f"Low stock: {shown}"[:_MAX_SUBJECT]
