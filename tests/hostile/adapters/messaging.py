"""The calls of notifications to SES and SNS, and of a consumer that hands failed records over to SQS."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from hostile.adapters.operation import Clients, Operation, said
from hostile.responses import Wire, good
from orderstream_consumer.consumer.failures import QueueHandOver
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_workers.services.notifications import SesMailer, SnsOperators
from orderstream_workers.services.notifications.domain import Mail
from orderstream_workers.services.notifications.operators import LowStockAlert

_MAIL: Final = Mail(recipient="a@example.com", subject="Your order", body="is here")

_ALERT: Final = LowStockAlert(
    event_id="e-1", sku="85123A", available=1, threshold=9, at="2010-12-01T08:26:00+00:00"
)

_FAILED: Final = DeliveredRecord(
    "shardId-000000000000", Position(1), "o-1", b"data", dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
)

_MAILED: Final = (
    b"<SendEmailResponse><SendEmailResult><MessageId>m-1</MessageId></SendEmailResult>"
    b"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></SendEmailResponse>"
)

_PUBLISHED: Final = (
    b"<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult>"
    b"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>"
)


def _mailer(clients: Clients) -> Callable[[], object]:
    mailer = SesMailer(clients.aws("ses"))
    return lambda: mailer.send(_MAIL)


def _operators(clients: Clients) -> Callable[[], object]:
    operators = SnsOperators(clients.aws("sns"), "arn:aws:sns:us-east-1:000000000000:operators")
    return lambda: operators.notify(_ALERT)


def _hand_over(clients: Clients) -> Callable[[], object]:
    hand_over = QueueHandOver(clients.aws("sqs"), f"{clients.url}/000000000000/failed", "orders")
    return lambda: hand_over(_FAILED, "ValueError: no")


MESSAGING: Final = (
    Operation("mailer", Wire.QUERY, "SendEmail", _mailer, good(Wire.QUERY, _MAILED)),
    Operation(
        "hand over",
        Wire.JSON,
        "SendMessage",
        _hand_over,
        said({"MessageId": "m-1"}),
        members=("MessageId",),
        fine=frozenset({"MessageId-as-text"}),
    ),
    Operation("operators", Wire.QUERY, "Publish", _operators, good(Wire.QUERY, _PUBLISHED)),
)
