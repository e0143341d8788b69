"""Sending mail: a protocol, and its implementation on Amazon SES."""

import re
from typing import TYPE_CHECKING, Final, Protocol

from orderstream.aws import aws_calls, required
from orderstream.errors import OrderstreamError
from orderstream_workers.services.notifications.domain import Mail

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_ses import SESClient

SENDER: Final = "orders@example.com"

MAX_MAIL_BYTES: Final = 10_000_000
"""Largest mail that SES' first API takes without a raised quota, encoded for transport."""

MAX_ADDRESS: Final = 320
"""Longest address that SES takes."""

_ADDRESS: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+")
"""Visible ASCII on both sides of one @: SES does not speak SMTPUTF8, and a domain travels in Punycode."""


class MailRefusedError(OrderstreamError):
    """The mail service will not send this mail, however often it is asked.

    Args:
        code: Its error code.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(
            f"the mail was refused with {code}; correct the sender's or the customer's address, then redrive"
        )


class Mailer(Protocol):
    """Sends mail. Safe to use from many threads."""

    def send(self, mail: Mail) -> None:
        """Hand a mail over; returns once it is accepted.

        Raises:
            DependencyError: the service did not respond; it may have been accepted.
            MailRefusedError: the service will never accept it.
        """


# https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html
_REFUSALS: Final = frozenset({"MessageRejected", "InvalidParameterValue", "ValidationError"})


class SesMailer:
    """Sends through Amazon SES.

    Args:
        client: A boto3 SES client, without retries of its own.
        sender: A verified address.
    """

    def __init__(self, client: "SESClient", sender: str = SENDER) -> None:
        self._client = client
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """See ``Mailer.send``."""
        check_mail(mail)
        with aws_calls("ses", "SendEmail", client=self._client, resource=self._sender, refusals=_refused):
            response = self._client.send_email(
                Source=self._sender,
                Destination={"ToAddresses": [mail.recipient]},
                Message={
                    "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": mail.body, "Charset": "UTF-8"}},
                },
            )
            required(response, "MessageId", str)


def _refused(code: str, _: "ClientError") -> Exception | None:
    return MailRefusedError(code) if code in _REFUSALS else None


def check_mail(mail: Mail) -> None:
    """Refuse what SES refuses, on every implementation.

    Raises:
        MailRefusedError: the recipient is no address that SES takes, or the mail is too large.
    """
    if len(mail.recipient) > MAX_ADDRESS or _ADDRESS.fullmatch(mail.recipient) is None:
        raise MailRefusedError("InvalidParameterValue")
    # UTF-8 travels in base64: four characters for three bytes.
    if (len(mail.subject.encode()) + len(mail.body.encode())) * 4 // 3 > MAX_MAIL_BYTES:
        raise MailRefusedError("MessageRejected")
