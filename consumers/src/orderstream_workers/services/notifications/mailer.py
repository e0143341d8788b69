"""Sending mail: a protocol, and an implementation in memory and on Amazon SES."""

from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_workers.services.notifications.domain import Mail

if TYPE_CHECKING:
    from mypy_boto3_ses import SESClient

SENDER: Final = "orders@example.com"


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
            DependencyError: the service did not answer; it may have been accepted.
            MailRefusedError: the service will never accept it.
        """


class MemoryMailer:
    """Keeps mails in a list, in the order in which they were accepted."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """See ``Mailer.send``."""
        self.sent.append(mail)


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
        try:
            self._client.send_email(
                Source=self._sender,
                Destination={"ToAddresses": [mail.recipient]},
                Message={
                    "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": mail.body, "Charset": "UTF-8"}},
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _REFUSALS:
                raise MailRefusedError(code) from error
            raise DependencyError("ses", "SendEmail", code) from error
        except BotoCoreError as error:
            raise DependencyError("ses", "SendEmail", type(error).__name__) from error
