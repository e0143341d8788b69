"""The SES adapter against SES as moto plays it, and against its errors."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from msgspec import structs

from fakes.mailer import MemoryMailer
from fakes.moto_aws import moto_client
from orderstream.errors import DependencyError
from orderstream_workers.services.notifications import Mail, MailRefusedError, SesMailer

MAIL = Mail(
    recipient="jane@example.com", subject="Your order o-1 is confirmed", body="It is on its way: £3.\n"
)


def ses_client():
    return moto_client("ses")


@pytest.fixture
def client() -> Iterator:
    with mock_aws():
        made = ses_client()
        yield made
        made.close()


def test_a_mail_reaches_ses(client) -> None:
    """Sender, recipient, subject and body arrive as they are."""
    client.verify_email_identity(EmailAddress="orders@example.com")
    SesMailer(client).send(MAIL)
    (message,) = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    assert (message.source, message.subject, message.body) == ("orders@example.com", MAIL.subject, MAIL.body)
    assert message.destinations["ToAddresses"] == ["jane@example.com"]


def test_an_unverified_sender_is_refused(client) -> None:
    """No retry mends it."""
    with pytest.raises(MailRefusedError) as caught:
        SesMailer(client).send(MAIL)
    assert not caught.value.retryable


@pytest.mark.parametrize("implementation", ["memory", "ses"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": ""},
        {"recipient": "jane"},
        {"recipient": "jane@"},
        {"recipient": "jane @example.com"},
        {"recipient": "jane@example.com\nBcc: all@example.com"},
        {"recipient": "j\u00e4ne@example.com"},
        {"recipient": "a@b@example.com"},
        {"recipient": "j" * 310 + "@example.com"},
        {"body": "x" * 7_500_000},
    ],
)
def test_what_ses_refuses_is_refused(client, implementation: str, wrong: dict[str, str]) -> None:
    """It is the record's own failure on every implementation, and nothing is sent."""
    client.verify_email_identity(EmailAddress="orders@example.com")
    memory = MemoryMailer()
    mailer = memory if implementation == "memory" else SesMailer(client)
    mailer.send(MAIL)
    with pytest.raises(MailRefusedError):
        mailer.send(structs.replace(MAIL, **wrong))
    sent = (
        memory.sent
        if implementation == "memory"
        else ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    )
    assert len(sent) == 1


@pytest.mark.parametrize("code", ["Throttling", "ServiceUnavailable", "InternalFailure"])
def test_a_throttle_or_an_outage_is_tried_again(code: str) -> None:
    """It says nothing about the mail."""
    client = ses_client()
    with Stubber(client) as stub:
        stub.add_client_error("send_email", code)
        with pytest.raises(DependencyError):
            SesMailer(client).send(MAIL)
    client.close()
