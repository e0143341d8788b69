"""Reads the results from the emulators and the simulated provider: mails, alerts, the ledger.

A page in place of the mailbox or the ledger would look like lost mails or lost money in the books. So a
response counts only if it has the members that its service always gives; anything else is a DependencyError.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import httpx
import ijson

from orderstream.aws import UnreadableResponseError, aws_calls, given_by_service, required
from orderstream.errors import DependencyError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Row = dict[str, Any]

_MAILBOX: Final = "/_ministack/ses/messages"
_ACCOUNT: Final = "000000000000"
"""The account of an access key that is not a number."""

_LINES: Final = "application/x-ndjson"
"""A ledger without an entry is an empty body: only its content type identifies it."""

_UNREADABLE: Final = (
    *(httpx.HTTPError, ijson.JSONError),
    *(AttributeError, LookupError, RecursionError, TypeError, ValueError),
)
"""What is raised where a response does not come, or is not what it should be."""


def mails(http: httpx.Client, aws_url: str) -> Iterator[Row]:
    """Every mail in the emulated mailbox, one at a time, however many there are.

    Args:
        http: A client.
        aws_url: Where the emulator of AWS is.

    Raises:
        DependencyError: It did not give its mailbox.
    """
    url = f"{aws_url}{_MAILBOX}"
    with tempfile.TemporaryFile() as file:
        with _asked("mailbox", url), http.stream("GET", url) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                file.write(chunk)
            _demand_mailbox(file)
        file.seek(0)
        for mail in ijson.items(file, f"messages.{_ACCOUNT}.item"):
            yield {"channel": "email", **mail}


def _demand_mailbox(file: IO[bytes]) -> None:
    """See that the whole of it is an object with mails by account."""
    found = False
    file.seek(0)
    for prefix, event, value in ijson.parse(file):
        found = found or (prefix, event) == ("messages", "start_map")
        if prefix == f"messages.{_ACCOUNT}.item" and event not in {"start_map", "map_key", "end_map"}:
            raise UnreadableResponseError(f"it holds {value!r} where a mail should be")
    if not found:
        raise UnreadableResponseError("it holds no messages")


def ledger(http: httpx.Client, payments_url: str) -> Iterator[Row]:
    """The provider's own ledger, entry by entry.

    Args:
        http: A client.
        payments_url: Where the simulated provider is.

    Raises:
        DependencyError: It did not give its ledger.
    """
    url = f"{payments_url}/v1/ledger"
    with _asked("payments API", url), http.stream("GET", url) as response:
        response.raise_for_status()
        if response.headers.get("content-type", "").partition(";")[0] != _LINES:
            raise UnreadableResponseError("it is no ledger")
        for line in response.iter_lines():
            entry = json.loads(line)
            required(entry, "order_id", str)
            yield entry


def provider_stats(http: httpx.Client, payments_url: str) -> Row:
    """Requests that the provider has seen, and those that it throttled.

    Args:
        http: A client.
        payments_url: Where the simulated provider is.

    Raises:
        DependencyError: It did not give its figures.
    """
    url = f"{payments_url}/v1/stats"
    with _asked("payments API", url):
        response = http.get(url)
        response.raise_for_status()
        stats: Row = response.json()
        required(stats, "requests", int)
        return stats


def alerts(sqs: "SQSClient", queue: str) -> Iterator[Row]:
    """What the operators' topic has received since it was last asked; taken out of its queue.

    Args:
        sqs: A client.
        queue: The queue's name.

    Raises:
        DependencyError: SQS did not give what the queue holds.
    """
    with aws_calls("sqs", "GetQueueUrl", client=sqs, resource=queue):
        url = required(sqs.get_queue_url(QueueName=queue), "QueueUrl", str)
    while True:
        with aws_calls("sqs", "ReceiveMessage", client=sqs, resource=queue):
            response = given_by_service(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10))
            found = [
                (required(message, "ReceiptHandle", str), json.loads(required(message, "Body", str)))
                for message in response.get("Messages") or ()
            ]
        if not found:
            return
        for receipt, alert in found:
            yield {"channel": "sns", **alert}
            with aws_calls("sqs", "DeleteMessage", client=sqs, resource=queue):
                given_by_service(sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt))


@contextmanager
def _asked(who: str, url: str) -> Iterator[None]:
    """Have everything that is none of their responses mean that they gave none."""
    try:
        yield
    except _UNREADABLE as error:
        raise DependencyError(who, "GET", str(error)[:300] or repr(error), endpoint=url) from error
